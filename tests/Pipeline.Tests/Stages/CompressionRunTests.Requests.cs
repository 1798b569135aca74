using System.Text.Json.Nodes;
using Condense.Engine.Structures;
using Condense.Models;
using Condense.Models.Tensors;
using Condense.Pipeline.Recipes;
using Condense.Pipeline.Stages;
using Xunit;

namespace Condense.Pipeline.Tests.Stages;

// What is refused, and in which words.
public sealed partial class CompressionRunTests
{
    [Fact]
    public async Task Every_offending_name_is_listed_with_its_nearest()
    {
        var recipe = new CompressionRecipe { Layers = [new LayerRule("encodr.weight", "quantize", null), new LayerRule("decoder.wait", "quantize", null)] };
        var exception = await Assert.ThrowsAsync<RecipeException>(() => RunAsync(SampleFiles.Onnx, recipe));
        Assert.Equal("unknown_layer", exception.Code);
        Assert.Equal(["/layers/0/match", "/layers/1/match"], exception.Problems.Select(problem => problem.Pointer));
        Assert.Contains("encoder.weight", exception.Problems[0].Detail, StringComparison.Ordinal);
        Assert.Contains("decoder.weight", exception.Problems[1].Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task All_that_is_wrong_with_a_request_is_told_at_once()
    {
        var recipe = new CompressionRecipe
        {
            Target = new CompressionTarget(TargetKind.Ratio, 0.5),
            Methods = ["quantise"],
            Layers =
            [
                new LayerRule("rnn.weight_hh_l0", "low-rank", null),
                new LayerRule("encoder.wait", "quantize", null),
                new LayerRule("encoder.weight", "low-rank", new JsonObject { ["rang"] = 3 }),
                new LayerRule("decoder.weight", "low-rank", new JsonObject { ["rank"] = 97 }),
            ],
            Keep = ["decoder.wait", "missing*"],
        };
        var exception = await Assert.ThrowsAsync<RecipeException>(() => CompressionRun.RunAsync(
            ModelParts.Single(SampleFiles.Onnx), _folder.File("x.npz"), ModelFormat.Npz, recipe, Environment("w", 1), progress: null, TestContext.Current.CancellationToken));
        Assert.Equal("invalid_field", exception.Code);
        Assert.Equal(
            [
                "/keep/0 unknown_layer", "/keep/1 unknown_layer", "/layers/0/method incompatible_method", "/layers/1/match unknown_layer", "/layers/2/settings/rang invalid_field",
                "/layers/3/settings/rank incompatible_method", "/methods/0 invalid_field", "/output/format invalid_field", "/target/ratio invalid_field",
            ],
            exception.Problems.Select(problem => $"{problem.Pointer} {problem.Code}").Order(StringComparer.Ordinal));
        Assert.All(exception.Problems, problem => Assert.Contains(problem.Detail, exception.Message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_rule_lists_every_layer_that_it_does_not_apply_to()
    {
        string path = await TestModels.WriteAsync(
            _folder.File("half.safetensors"),
            TestModels.Tensor("a.weight", DType.F16, new ushort[16], 4, 4),
            TestModels.Tensor("b.weight", new float[16], 4, 4),
            TestModels.Tensor("c.weight", DType.F16, new ushort[16], 4, 4));
        var exception = await Assert.ThrowsAsync<RecipeException>(() => RunAsync(path, new CompressionRecipe { Layers = [new LayerRule("*.weight", "float16", null)] }));
        Assert.Equal("incompatible_method", exception.Code);
        Assert.All(exception.Problems, problem => Assert.Equal("/layers/0/method", problem.Pointer));
        Assert.Equal(["a.weight", "c.weight"], exception.Problems.Select(problem => problem.Detail.Split(" does not apply to ")[1][..8]).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Every_layer_whose_values_a_rule_can_t_hold_is_named()
    {
        string path = await TestModels.WriteAsync(
            _folder.File("large.safetensors"),
            TestModels.Tensor("a.weight", [.. Enumerable.Repeat(1e6f, 4096)], 64, 64),
            TestModels.Tensor("b.weight", [.. Enumerable.Repeat(1f, 4096)], 64, 64),
            TestModels.Tensor("c.weight", [.. Enumerable.Repeat(1e6f, 4096)], 64, 64));
        var exception = await Assert.ThrowsAsync<RecipeException>(() => RunAsync(path, new CompressionRecipe { Layers = [new LayerRule("*", "float16", null)] }));
        Assert.Equal(["a.weight", "c.weight"], exception.Problems.Select(problem => problem.Detail[..8]));
    }

    [Theory]
    [InlineData(true, "{}")]
    [InlineData(true, """{ "rank": 4 }""")]
    [InlineData(false, """{ "rank": 4, "factorBits": 16 }""")]
    public async Task A_product_whose_factors_f16_can_t_hold_is_refused_in_a_rule_and_not_planned(bool half, string settings)
    {
        // Of rank 1, the left factor 8 times as large as the entries.
        string path = await TestModels.WriteAsync(
            _folder.File("steep.safetensors"),
            half
                ? TestModels.Tensor("steep.weight", DType.F16, Enumerable.Repeat((Half)2e4, 4096).ToArray(), 64, 64)
                : TestModels.Tensor("steep.weight", [.. Enumerable.Repeat(2e4f, 4096)], 64, 64));
        var rule = new LayerRule("steep.weight", "low-rank", JsonNode.Parse(settings)!.AsObject());
        var exception = await Assert.ThrowsAsync<RecipeException>(() => RunAsync(path, new CompressionRecipe { Layers = [rule] }));
        Assert.Equal("incompatible_method", exception.Code);
        Assert.Equal("/layers/0/method", exception.Problems.Single().Pointer);

        var report = await RunAsync(path, Ratio(1.5) with { Methods = ["low-rank"] });
        Assert.NotEqual(new DenseForm(64, 1, FloatFormat.F16), Assert.IsType<ProductForm>(report.Layers.Single().Form).Left);
        Assert.InRange(report.Layers.Single().RelativeError, 0, 0.01);
    }

    [Theory]
    [InlineData("low-renk", "low-rank")]
    [InlineData("int8", "quantize")]
    public async Task An_unknown_method_is_refused_with_the_known_ones(string asked, string offered)
    {
        var exception = await Assert.ThrowsAsync<RecipeException>(() => RunAsync(SampleFiles.Onnx, Ratio(2) with { Methods = [asked] }));
        Assert.Equal("invalid_field", exception.Code);
        Assert.Equal("/methods/0", exception.Problems.Single().Pointer);
        Assert.Contains(offered, exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(0)]
    [InlineData(-3)]
    [InlineData(0.5)]
    public async Task An_absurd_ratio_is_refused(double ratio)
    {
        var exception = await Assert.ThrowsAsync<RecipeException>(() => RunAsync(SampleFiles.Onnx, Ratio(ratio)));
        Assert.Equal("/target/ratio", exception.Problems.Single().Pointer);
    }

    [Fact]
    public async Task Low_rank_on_an_lstm_is_incompatible_in_this_version()
    {
        var recipe = new CompressionRecipe { Layers = [new LayerRule("rnn.weight_hh_l0", "low-rank", null)] };
        var exception = await Assert.ThrowsAsync<RecipeException>(() => RunAsync(SampleFiles.Onnx, recipe));
        Assert.Equal("incompatible_method", exception.Code);
        Assert.Contains("rnn.weight_hh_l0", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{ "rank": 0 }""", "/layers/0/settings/rank")]
    [InlineData("""{ "rank": 97 }""", "/layers/0/settings/rank")]
    [InlineData("""{ "factorBits": 7 }""", "/layers/0/settings/factorBits")]
    [InlineData("""{ "rang": 3 }""", "/layers/0/settings/rang")]
    [InlineData("""{ "rank": "three" }""", "/layers/0/settings/rank")]
    public async Task Wrong_settings_are_refused_with_their_place(string settings, string pointer)
    {
        var recipe = new CompressionRecipe { Layers = [new LayerRule("encoder.weight", "low-rank", JsonNode.Parse(settings)!.AsObject())] };
        var exception = await Assert.ThrowsAsync<RecipeException>(() => RunAsync(SampleFiles.Onnx, recipe));
        Assert.Equal(pointer, exception.Problems.Single().Pointer);
    }

    [Fact]
    public async Task A_weight_that_is_not_a_number_is_named_with_its_index()
    {
        string path = await TestModels.WriteAsync(_folder.File("nan.safetensors"), TestModels.Tensor("w", [1, 2, float.NaN, 4], 2, 2));
        var exception = await Assert.ThrowsAsync<RecipeException>(() => RunAsync(path, Ratio(2)));
        Assert.Equal("non_finite_weights", exception.Code);
        Assert.Equal("/tensors/w/2", exception.Problems.Single().Pointer);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(1.5)]
    public async Task Values_beyond_what_a_rule_asks_for_are_refused_with_the_layer(double? ratio)
    {
        string path = await TestModels.WriteAsync(_folder.File("large.safetensors"), TestModels.Tensor("w.weight", [.. Enumerable.Repeat(1e6f, 4096)], 64, 64));
        var recipe = new CompressionRecipe
        {
            Target = ratio is { } value ? new CompressionTarget(TargetKind.Ratio, value) : null,
            Layers = [new LayerRule("w.*", "float16", null)],
        };
        var exception = await Assert.ThrowsAsync<RecipeException>(() => RunAsync(path, recipe));
        Assert.Equal("incompatible_method", exception.Code);
        Assert.Equal("/layers/0/method", exception.Problems.Single().Pointer);
        Assert.Contains("w.weight", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_format_that_can_t_hold_the_result_is_refused_with_those_that_can()
    {
        await Refused(SampleFiles.Onnx, ModelFormat.Safetensors, "can't hold its graph", "onnx");
        await Refused(SampleFiles.Onnx, ModelFormat.PyTorch, "pickles are never written", "onnx");
        await Refused(SampleFiles.Safetensors, ModelFormat.Onnx, "no graph", "safetensors or npz");
        await Refused(SampleFiles.Safetensors, ModelFormat.Npy, "one plain array", "safetensors or npz");
        await Refused(SampleFiles.Safetensors, ModelFormat.PyTorch, "pickles are never written", "safetensors or npz");

        async Task Refused(string path, ModelFormat format, string reason, string offered)
        {
            var exception = await Assert.ThrowsAsync<RecipeException>(() => CompressionRun.RunAsync(
                ModelParts.Single(path), _folder.File("x"), format, Ratio(2), Environment("w", 1), progress: null, TestContext.Current.CancellationToken));
            Assert.Equal("/output/format", exception.Problems.Single().Pointer);
            Assert.Contains(reason, exception.Message, StringComparison.Ordinal);
            Assert.Contains($"Write {offered}", exception.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Tensors_that_another_format_can_t_hold_are_named()
    {
        string path = await TestModels.WriteAsync(
            _folder.File("brain.safetensors"), TestModels.Tensor<ushort>("a.weight", DType.BF16, new ushort[4096], 64, 64), TestModels.Tensor("b.weight", new float[4096], 64, 64));
        var exception = await Assert.ThrowsAsync<RecipeException>(() => CompressionRun.RunAsync(
            ModelParts.Single(path), _folder.File("x.npz"), ModelFormat.Npz, Ratio(2), Environment("w", 1), progress: null, TestContext.Current.CancellationToken));
        Assert.Contains("BF16, which a.weight has", exception.Problems.Single().Detail, StringComparison.Ordinal);
    }
}
