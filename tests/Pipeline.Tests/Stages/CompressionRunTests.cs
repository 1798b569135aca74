using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Condense.Engine.Structures;
using Condense.Models;
using Condense.Models.Tensors;
using Condense.Pipeline.Recipes;
using Condense.Pipeline.Reports;
using Condense.Pipeline.Stages;
using Xunit;

namespace Condense.Pipeline.Tests.Stages;

public sealed class CompressionRunTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("onnx", 2)]
    [InlineData("onnx", 3.5)]
    [InlineData("onnx", 8)]
    [InlineData("onnx", 15)]
    [InlineData("safetensors", 2)]
    [InlineData("safetensors", 3.5)]
    [InlineData("safetensors", 8)]
    [InlineData("safetensors", 15)]
    public async Task The_sample_meets_its_target_within_one_percent(string format, double ratio)
    {
        string path = format == "onnx" ? SampleFiles.Onnx : SampleFiles.Safetensors;
        var report = await RunAsync(path, new CompressionRecipe { Target = new CompressionTarget(TargetKind.Ratio, ratio) });
        Assert.Equal(Outcome.MetTarget, report.Outcome);
        Assert.InRange(report.Ratio, ratio, ratio * 1.01);
        Assert.Equal(new FileInfo(path).Length, report.BytesBefore);
        Assert.Equal(new FileInfo(Output(path)).Length, report.BytesAfter);
        Assert.All(report.Layers, layer => Assert.InRange(layer.RelativeError, 0, 1));
    }

    [Theory]
    [InlineData(TargetKind.Bytes, 400_000)]
    [InlineData(TargetKind.Bytes, 300_000)]
    [InlineData(TargetKind.ParameterRatio, 1.5)]
    [InlineData(TargetKind.ParameterRatio, 4)]
    [InlineData(TargetKind.BitsPerWeight, 3)]
    [InlineData(TargetKind.BitsPerWeight, 6)]
    [InlineData(TargetKind.BitsPerWeight, 13.5)]
    public async Task Other_targets_are_met_in_their_own_unit(TargetKind kind, double value)
    {
        var report = await RunAsync(SampleFiles.Onnx, new CompressionRecipe { Target = new CompressionTarget(kind, value) });
        switch (kind)
        {
            case TargetKind.Bytes:
                Assert.InRange(report.BytesAfter, value * 0.99, value);
                break;
            case TargetKind.ParameterRatio:
                Assert.InRange(report.ParameterRatio, value, value * 1.01);
                break;
            default:
                Assert.InRange(report.BitsPerWeight, value * 0.99, value);
                break;
        }
    }

    [Fact]
    public async Task The_bits_of_the_report_are_the_bytes_of_the_file()
    {
        await RunAsync(SampleFiles.Safetensors, Ratio(4));
        using var written = ModelReader.Open(ModelParts.Single(Output(SampleFiles.Safetensors)), ReadLimits.Default);
        long stored = written.Tensors.Where(tensor => tensor.Name.Contains(".weight", StringComparison.Ordinal)).Sum(tensor => tensor.Data.ByteLength);
        var report = await RunAsync(SampleFiles.Safetensors, Ratio(4));
        Assert.Equal(stored, report.Layers.Sum(layer => layer.BytesAfter));
        Assert.Equal(stored * 8.0 / report.ParametersBefore, report.BitsPerWeight, 12);
    }

    [Fact]
    public async Task Any_number_of_threads_gives_the_same_bytes()
    {
        var one = await RunAsync(SampleFiles.Onnx, Ratio(8), threads: 1, work: "one");
        var two = await RunAsync(SampleFiles.Onnx, Ratio(8), threads: 2, work: "two");
        var sixteen = await RunAsync(SampleFiles.Onnx, Ratio(8), threads: 16, work: "sixteen");
        Assert.Equal(one.DigestAfter, two.DigestAfter);
        Assert.Equal(one.DigestAfter, sixteen.DigestAfter);
    }

    [Fact]
    public async Task A_run_that_was_stopped_goes_on_where_it_was_and_ends_the_same()
    {
        var whole = await RunAsync(SampleFiles.Onnx, Ratio(8), work: "whole");
        using var stop = new CancellationTokenSource();
        var recipe = Ratio(8);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => CompressionRun.RunAsync(
            ModelParts.Single(SampleFiles.Onnx),
            _folder.File("stopped.onnx"),
            ModelFormat.Onnx,
            recipe,
            Environment("stopped", threads: 2),
            new StopAfter(Stage.Compressing, layers: 2, stop),
            stop.Token));
        Assert.False(File.Exists(_folder.File("stopped.onnx")));

        var resumed = await RunAsync(SampleFiles.Onnx, recipe, work: "stopped");
        Assert.Equal(2, resumed.ReusedLayers);
        Assert.Equal(whole.DigestAfter, resumed.DigestAfter);
        Assert.Equal(0, whole.ReusedLayers);
    }

    [Fact]
    public async Task The_digests_are_those_of_the_files()
    {
        var report = await RunAsync(SampleFiles.Onnx, Ratio(4));
        Assert.Equal(Sha256(SampleFiles.Onnx), report.DigestBefore);
        Assert.Equal(Sha256(Output(SampleFiles.Onnx)), report.DigestAfter);
    }

    [Fact]
    public async Task Ratio_one_keeps_the_original_byte_for_byte()
    {
        var report = await RunAsync(SampleFiles.Onnx, Ratio(1));
        Assert.Equal(report.DigestBefore, report.DigestAfter);
        Assert.Equal(Outcome.MetTarget, report.Outcome);
        Assert.Contains(report.Warnings, warning => warning.Code == "target_already_met");
        Assert.All(report.Layers, layer => Assert.Equal("keep", layer.Method));
    }

    [Fact]
    public async Task The_result_has_the_opset_that_is_asked_for()
    {
        var report = await RunAsync(SampleFiles.Onnx, Ratio(3.5) with { Opset = 21 });
        Assert.Equal((17, 21), (report.OpsetBefore, report.OpsetAfter));
        Assert.InRange(report.Ratio, 3.5, 3.5 * 1.01);
        using var model = ModelReader.Open(ModelParts.Single(Output(SampleFiles.Onnx)), ReadLimits.Default);
        Assert.Equal((21, 10), (model.Program!.Opset, model.Program.IrVersion));
        Assert.Contains("| opset | 17 | 21 | |", ReportMarkdown.Write(report), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_original_that_is_kept_keeps_its_opset()
    {
        var report = await RunAsync(SampleFiles.Onnx, Ratio(1) with { Opset = 21 });
        Assert.Equal(report.DigestBefore, report.DigestAfter);
        Assert.Equal((17, 17), (report.OpsetBefore, report.OpsetAfter));
        Assert.Contains(report.Warnings, warning => warning.Code == "opset_not_raised");
    }

    [Theory]
    [InlineData("onnx", 16)]
    [InlineData("onnx", 26)]
    [InlineData("safetensors", 21)]
    public void An_opset_that_the_model_can_t_have_is_refused_with_all_else_that_is_wrong(string format, int opset)
    {
        string path = format == "onnx" ? SampleFiles.Onnx : SampleFiles.Safetensors;
        var exception = Assert.Throws<RecipeException>(() => CompressionRun.Check(
            ModelParts.Single(path), format == "onnx" ? ModelFormat.Onnx : ModelFormat.Safetensors, Ratio(2) with { Opset = opset, Methods = ["none"] }));
        Assert.Equal("invalid_field", exception.Code);
        Assert.Equal(["/methods/0", "/output/opset"], exception.Problems.Select(problem => problem.Pointer).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_ratio_out_of_reach_is_refused_with_the_nearest_which_then_works()
    {
        var refused = await Assert.ThrowsAsync<RecipeException>(() => RunAsync(SampleFiles.Onnx, Ratio(10_000)));
        Assert.Equal("infeasible_target", refused.Code);
        var nearest = refused.Nearest!;
        Assert.Equal(TargetKind.Ratio, nearest.Kind);
        var checkedFirst = Assert.Throws<RecipeException>(() => CompressionRun.Check(ModelParts.Single(SampleFiles.Onnx), ModelFormat.Onnx, Ratio(10_000)));
        Assert.Equal(nearest, checkedFirst.Nearest);
        var report = await RunAsync(SampleFiles.Onnx, new CompressionRecipe { Target = nearest });
        Assert.True(report.Ratio >= nearest.Value);
    }

    [Fact]
    public async Task A_model_without_a_weight_is_not_worthwhile_and_kept()
    {
        string path = await TestModels.WriteAsync(_folder.File("bias.safetensors"), TestModels.Tensor("bias", [1, 2, 3, 4], 4));
        var report = await RunAsync(path, Ratio(2));
        Assert.Equal(Outcome.NotWorthwhile, report.Outcome);
        Assert.Equal(report.DigestBefore, report.DigestAfter);
        Assert.Empty(report.Layers);
    }

    [Fact]
    public async Task A_weight_too_small_to_gain_anything_is_not_worthwhile()
    {
        string path = await TestModels.WriteAsync(_folder.File("tiny.safetensors"), TestModels.Tensor("w", [1, 2, 3, 4], 2, 2));
        var report = await RunAsync(path, Ratio(2));
        Assert.Equal(Outcome.NotWorthwhile, report.Outcome);
        Assert.Equal(report.DigestBefore, report.DigestAfter);
    }

    [Fact]
    public async Task A_rule_without_a_target_does_that_layer_and_keeps_the_others()
    {
        var settings = new JsonObject { ["rank"] = 12 };
        var report = await RunAsync(SampleFiles.Safetensors, new CompressionRecipe { Layers = [new LayerRule("encoder.*", "low-rank", settings)] });
        var encoder = report.Layers.Single(layer => layer.Name == "encoder.weight");
        var form = Assert.IsType<ProductForm>(encoder.Form);
        Assert.Equal(12, form.Rank);
        Assert.Equal(FloatFormat.F32, Assert.IsType<DenseForm>(form.Left).Format);
        Assert.Equal(encoder.Bound!.Value, encoder.RelativeError, 1e-5);
        Assert.All(report.Layers.Where(layer => layer.Name != "encoder.weight"), layer => Assert.Equal("keep", layer.Method));
    }

    [Fact]
    public async Task Row_weights_lower_the_weighted_error_and_raise_the_plain_one()
    {
        double[] counts = [.. Enumerable.Range(0, 2000).Select(row => 100_000.0 / (row + 1))];
        var rule = new LayerRule("encoder.*", "low-rank", new JsonObject { ["rank"] = 12 });
        var plain = await RunAsync(SampleFiles.Safetensors, new CompressionRecipe { Layers = [rule] }, work: "plain");
        var weighted = await RunAsync(
            SampleFiles.Safetensors, new CompressionRecipe { Layers = [rule], Frequencies = new TokenFrequencies(counts, ["encoder.*"]) }, work: "weighted");
        var before = plain.Layers.Single(layer => layer.Name == "encoder.weight");
        var after = weighted.Layers.Single(layer => layer.Name == "encoder.weight");
        Assert.Null(before.WeightedRelativeError);
        Assert.Equal(after.Bound!.Value, after.WeightedRelativeError!.Value, 1e-5);
        Assert.True(after.RelativeError > before.RelativeError);
        Assert.True(after.WeightedRelativeError < after.RelativeError);
    }

    [Fact]
    public async Task Kept_layers_stay_and_the_target_is_met_by_the_others()
    {
        var report = await RunAsync(SampleFiles.Onnx, Ratio(3) with { Keep = ["rnn.*"] });
        Assert.All(report.Layers.Where(layer => layer.Name.StartsWith("rnn.", StringComparison.Ordinal)), layer => Assert.Equal("keep", layer.Method));
        Assert.InRange(report.Ratio, 3, 3.03);
    }

    [Fact]
    public async Task Only_the_methods_asked_for_are_used()
    {
        var report = await RunAsync(SampleFiles.Onnx, Ratio(3) with { Methods = ["quantize"] });
        Assert.All(report.Layers, layer => Assert.Contains(layer.Method, new[] { "quantize", "keep" }));
    }

    [Theory]
    [InlineData("onnx", 4.7)]
    [InlineData("onnx", 6)]
    [InlineData("safetensors", 5.3)]
    [InlineData("safetensors", 7)]
    [InlineData("safetensors", 9.1)]
    public async Task Ratios_between_the_widths_of_codes_are_met_within_one_percent(string format, double ratio)
    {
        string path = format == "onnx" ? SampleFiles.Onnx : SampleFiles.Safetensors;
        var report = await RunAsync(path, Ratio(ratio) with { Methods = ["quantize", "mixed"] });
        Assert.InRange(report.Ratio, ratio, ratio * 1.01);
        Assert.Contains(report.Layers, layer => layer.Form is QuantizedForm { IsPacked: true } or RowPartitionForm);
        Assert.DoesNotContain(report.Warnings, warning => warning.Code is "widened_codes");
        Assert.All(report.Layers, layer => Assert.False(format == "onnx" && layer.Form is QuantizedForm { StoredBits: not (4 or 8) }));
    }

    [Theory]
    [InlineData("onnx", "encoder.weight", """{ "codeBits": 4, "groupSize": 32, "symmetric": false }""", 4, false)]
    [InlineData("onnx", "encoder.weight", """{ "codeBits": 2 }""", 2, false)]
    [InlineData("onnx", "encoder.weight", """{ "codeBits": 3, "clipping": "none" }""", 8, true)]
    [InlineData("onnx", "rnn.weight_hh_l0", """{ "codeBits": 6 }""", 8, true)]
    [InlineData("safetensors", "encoder.weight", """{ "codeBits": 3, "clipping": "mse" }""", 3, false)]
    [InlineData("safetensors", "encoder.weight", """{ "codeBits": 5, "granularity": "perColumn" }""", 5, false)]
    public async Task Codes_that_a_graph_cannot_read_take_a_byte_and_are_said_to(string format, string layer, string settings, int storedBits, bool widened)
    {
        var recipe = new CompressionRecipe { Layers = [new LayerRule(layer, "quantize", JsonNode.Parse(settings)!.AsObject())] };
        var report = await RunAsync(format == "onnx" ? SampleFiles.Onnx : SampleFiles.Safetensors, recipe);
        var compressed = report.Layers.Single(described => described.Name == layer);
        Assert.Equal(storedBits, Assert.IsType<QuantizedForm>(compressed.Form).StoredBits);
        Assert.Equal(compressed.Form!.StorageBits / 8, compressed.BytesAfter);
        Assert.Equal(widened, report.Warnings.Any(warning => warning.Code is "widened_codes" && warning.Layer == layer));
    }

    [Fact]
    public async Task Clipping_is_what_the_rule_says()
    {
        async Task<double> ErrorAsync(string settings)
        {
            var rule = new LayerRule("encoder.weight", "quantize", JsonNode.Parse(settings)!.AsObject());
            return (await RunAsync(SampleFiles.Safetensors, new CompressionRecipe { Layers = [rule] })).Layers.Single(layer => layer.Form is not null).RelativeError;
        }

        double clipped = await ErrorAsync("""{ "codeBits": 4 }""");
        Assert.Equal(clipped, await ErrorAsync("""{ "codeBits": 4, "clipping": "mse" }"""));
        Assert.InRange(clipped, 0, 0.95 * await ErrorAsync("""{ "codeBits": 4, "clipping": "none" }"""));
    }

    [Theory]
    [InlineData("""{ "codeBits": 7 }""", "/layers/0/settings/codeBits")]
    [InlineData("""{ "codeBits": 4, "groupSize": 1 }""", "/layers/0/settings/groupSize")]
    [InlineData("""{ "codeBits": 4, "groupSize": 32, "granularity": "perRow" }""", "/layers/0/settings/groupSize")]
    [InlineData("""{ "clipping": "some" }""", "/layers/0/settings/clipping")]
    public async Task Wrong_settings_of_codes_are_refused_with_their_place(string settings, string pointer)
    {
        var recipe = new CompressionRecipe { Layers = [new LayerRule("encoder.weight", "quantize", JsonNode.Parse(settings)!.AsObject())] };
        var exception = await Assert.ThrowsAsync<RecipeException>(() => RunAsync(SampleFiles.Onnx, recipe));
        Assert.Equal(pointer, exception.Problems.Single().Pointer);
    }

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
            Keep = ["decoder.wait"],
        };
        var exception = await Assert.ThrowsAsync<RecipeException>(() => CompressionRun.RunAsync(
            ModelParts.Single(SampleFiles.Onnx), _folder.File("x.npz"), ModelFormat.Npz, recipe, Environment("w", 1), progress: null, TestContext.Current.CancellationToken));
        Assert.Equal("invalid_field", exception.Code);
        Assert.Equal(
            [
                "/keep/0 unknown_layer", "/layers/0/method incompatible_method", "/layers/1/match unknown_layer", "/layers/2/settings/rang invalid_field",
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
    public async Task Degenerate_weights_give_a_right_result_or_are_kept()
    {
        string path = await TestModels.WriteAsync(
            _folder.File("degenerate.safetensors"),
            TestModels.Tensor("zero.weight", new float[64 * 64], 64, 64),
            TestModels.Tensor("row.weight", TestModels.Gaussian(1, 4096, 0, 1), 1, 4096),
            TestModels.Tensor("column.weight", TestModels.Gaussian(4096, 1, 0, 2), 4096, 1),
            TestModels.Tensor("empty.weight", [], 0, 5),
            TestModels.Tensor("denormal.weight", [.. Enumerable.Repeat(1e-42f, 4096)], 64, 64),
            TestModels.Tensor("huge.weight", [.. Enumerable.Repeat(3e38f, 4096)], 64, 64),
            TestModels.Tensor("one.weight", [.. Enumerable.Range(0, 4096).Select(i => (i / 64) + 1f)], 64, 64));
        var report = await RunAsync(path, Ratio(3));
        Assert.Equal(Outcome.MetTarget, report.Outcome);
        Assert.Equal(0, report.Layers.Single(layer => layer.Name == "zero.weight").RelativeError);
        Assert.All(report.Layers, layer => Assert.InRange(layer.RelativeError, 0, 0.05));
    }

    [Theory]
    [InlineData(1.2)]
    [InlineData(1.7)]
    [InlineData(2.5)]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(7)]
    [InlineData(9)]
    [InlineData(12)]
    public async Task One_weight_alone_meets_any_target_closely(double ratio)
    {
        string path = await TestModels.WriteAsync(_folder.File("one.safetensors"), TestModels.Tensor("table.weight", TestModels.Gaussian(4000, 100, 0.5, 3), 4000, 100));
        var report = await RunAsync(path, Ratio(ratio));
        Assert.InRange(report.Ratio, ratio, ratio * 1.01);
        Assert.DoesNotContain(report.Warnings, warning => warning.Code == "target_overshot");
    }

    [Fact]
    public async Task A_model_too_small_for_its_target_to_be_met_closely_is_told()
    {
        string path = await TestModels.WriteAsync(_folder.File("coarse.safetensors"), TestModels.Tensor("w.weight", TestModels.Gaussian(40, 40, 0, 1), 40, 40));
        var report = await RunAsync(path, Ratio(2) with { Methods = ["quantize"] });
        Assert.True(report.Ratio > 2.02);
        var warning = Assert.Single(report.Warnings, warning => warning.Code == "target_overshot");
        Assert.Contains(FormattableString.Invariant($"{report.Ratio:G4}"), warning.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Large_layers_are_not_factorized_where_formats_are_enough()
    {
        string path = await TestModels.WriteAsync(_folder.File("large.safetensors"), TestModels.Tensor("w.weight", TestModels.Gaussian(1600, 1600, 0, 4), 1600, 1600));
        var report = await RunAsync(path, Ratio(3.5));
        Assert.Contains(report.Warnings, warning => warning.Code == "low_rank_not_tried");
        Assert.InRange(report.Ratio, 3.5, 3.5 * 1.01);
    }

    [Fact]
    public async Task Nothing_is_left_beside_the_result()
    {
        await RunAsync(SampleFiles.Onnx, Ratio(4), work: "work");
        Assert.Equal(["moby-dick-lstm.onnx", "work"], Directory.GetFileSystemEntries(_folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal));
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

    [Fact]
    public async Task Methods_that_apply_to_nothing_are_told()
    {
        string path = await TestModels.WriteAsync(_folder.File("kernels.safetensors"), TestModels.Tensor<double>("bias", DType.F64, new double[64], 64));
        var report = await RunAsync(path, Ratio(2) with { Methods = ["low-rank"] });
        Assert.Contains(report.Warnings, warning => warning.Code == "no_method_applies" && warning.Detail.Contains("low-rank", StringComparison.Ordinal));
    }

    private static CompressionRecipe Ratio(double value) => new() { Target = new CompressionTarget(TargetKind.Ratio, value) };

    private static string Sha256(string path) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)));

    private string Output(string input) => _folder.File(Path.GetFileName(input) is var name && File.Exists(_folder.File(name)) && Path.GetDirectoryName(input) == _folder.Path ? "out-" + name : Path.GetFileName(input));

    private RunEnvironment Environment(string work, int threads) => new() { WorkDirectory = _folder.File(work), Threads = threads };

    private Task<CompressionReport> RunAsync(string path, CompressionRecipe recipe, int threads = 2, string work = "work")
    {
        var format = path.EndsWith(".onnx", StringComparison.Ordinal) ? ModelFormat.Onnx : ModelFormat.Safetensors;
        return CompressionRun.RunAsync(ModelParts.Single(path), Output(path), format, recipe, Environment(work, threads), progress: null, TestContext.Current.CancellationToken);
    }

    private sealed class StopAfter(Stage stage, int layers, CancellationTokenSource source) : IProgress<StageProgress>
    {
        public void Report(StageProgress value)
        {
            if (value.Stage == stage && value.LayersDone == layers)
            {
                source.Cancel();
            }
        }
    }
}
