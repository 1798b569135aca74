using Condense.Models;
using Condense.Models.Tensors;
using Condense.Pipeline.Recipes;
using Condense.Pipeline.Reports;
using Condense.Pipeline.Stages;
using Xunit;

namespace Condense.Pipeline.Tests.Findings;

public sealed class ModelFindingsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_samples_have_nothing_to_tell()
    {
        Assert.Empty((await InspectAsync(SampleFiles.Onnx)).Findings);
        Assert.Empty((await InspectAsync(SampleFiles.Safetensors)).Findings);
    }

    [Fact]
    public async Task Every_weight_that_is_not_finite_is_named_with_count_and_place()
    {
        var description = await InspectAsync(await TestModels.WriteAsync(
            _folder.File("nan.safetensors"),
            TestModels.Tensor("a.weight", [1, float.NaN, float.NegativeInfinity, 4], 2, 2),
            TestModels.Tensor("b.weight", [1, 2, 3, 4], 2, 2),
            TestModels.Tensor<double>("c.weight", DType.F64, [1, 2, 3, double.PositiveInfinity], 2, 2),
            TestModels.Tensor<double>("d.weight", DType.F64, [1, 2, 3, 1e300], 2, 2)));
        Assert.True(description.Rejected);
        var named = description.Findings.Where(finding => finding.Code == "non_finite_weights").ToArray();
        Assert.Equal(["a.weight", "c.weight"], named.Select(finding => finding.Tensor));
        Assert.Contains("holds 2 NaN or infinities, the first at index 1", named[0].Detail, StringComparison.Ordinal);
        Assert.Contains("the first at index 3", named[1].Detail, StringComparison.Ordinal);
        Assert.Equal(["b.weight", "d.weight"], description.Layers.Select(layer => layer.Name));
    }

    [Fact]
    public async Task An_infinity_in_a_mask_is_told_and_no_reason_to_refuse()
    {
        var description = await InspectAsync(await TestModels.WriteOnnxAsync(
            _folder.File("mask.onnx"),
            [TestModels.Tensor("w", [.. Enumerable.Range(0, 16).Select(i => (float)i)], 4, 4), TestModels.Tensor("mask", [0, float.NegativeInfinity, 0, 3], 1, 4)],
            ("MatMul", ["x", "w"], "h"),
            ("Add", ["h", "mask"], "y")));
        Assert.False(description.Rejected);
        var finding = Assert.Single(description.Findings, finding => finding.Code == "non_finite");
        Assert.Equal("mask", finding.Tensor);
        Assert.Equal(3, description.Layers.Single(layer => layer.Name == "mask").Norm);
    }

    [Fact]
    public async Task Tensors_with_the_same_bytes_are_tied()
    {
        float[] table = TestModels.Gaussian(64, 16, 0, 1);
        var description = await InspectAsync(await TestModels.WriteAsync(
            _folder.File("tied.safetensors"),
            TestModels.Tensor("encoder.weight", table, 64, 16),
            TestModels.Tensor("other.weight", TestModels.Gaussian(64, 16, 0, 2), 64, 16),
            TestModels.Tensor("decoder.weight", table, 64, 16),
            TestModels.Tensor("a.bias", new float[16], 16),
            TestModels.Tensor("b.bias", new float[16], 16)));
        var finding = Assert.Single(description.Findings);
        Assert.Equal("tied_weights", finding.Code);
        Assert.Contains("encoder.weight, decoder.weight hold the same 4,096 bytes", finding.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_table_that_also_projects_is_tied()
    {
        var description = await InspectAsync(await TestModels.WriteOnnxAsync(
            _folder.File("tied.onnx"),
            [TestModels.Tensor("table", TestModels.Gaussian(64, 4, 0, 1), 64, 4)],
            ("Cast", ["x"], "ids"),
            ("Gather", ["table", "ids"], "h"),
            ("Gemm", ["h", "table"], "y")));
        Assert.Equal("table", Assert.Single(description.Findings, finding => finding.Code == "tied_weights").Tensor);
    }

    [Theory]
    [InlineData("layer.weight", "layer.weight_scale")]
    [InlineData("layer.weight.q", "layer.weight.scale")]
    [InlineData("layer.weight", "layer.weight.scale")]
    [InlineData("layer.qweight", "layer.scales")]
    [InlineData("layer.weight_quantized", "layer.weight_scale")]
    [InlineData("lm_head.0", "lm_head.1")]
    public async Task Codes_with_a_scale_beside_them_are_already_quantized(string codes, string scale)
    {
        var description = await InspectAsync(await TestModels.WriteAsync(
            _folder.File("codes.safetensors"),
            TestModels.Tensor<sbyte>(codes, DType.I8, new sbyte[64], 8, 8),
            TestModels.Tensor(scale, [0.5f], 1),
            TestModels.Tensor<sbyte>("alone", DType.I8, new sbyte[64], 8, 8)));
        var finding = Assert.Single(description.Findings, finding => finding.Code == "already_quantized");
        Assert.Equal(codes, finding.Tensor);
        Assert.StartsWith("1 tensor of 64 bytes", finding.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Codes_that_a_graph_decodes_are_already_quantized()
    {
        var description = await InspectAsync(await TestModels.WriteOnnxAsync(
            _folder.File("codes.onnx"),
            [
                TestModels.Tensor<sbyte>("w_q", DType.I8, new sbyte[16], 4, 4), TestModels.Tensor("s", [0.5f]),
                TestModels.Tensor<sbyte>("not_codes", DType.I8, new sbyte[16], 4, 4),
            ],
            ("DequantizeLinear", ["w_q", "s"], "w"),
            ("MatMul", ["x", "w"], "h"),
            ("Add", ["h", "not_codes"], "y")));
        Assert.Equal("w_q", Assert.Single(description.Findings, finding => finding.Code == "already_quantized").Tensor);
    }

    [Fact]
    public async Task A_compressed_model_is_known_again()
    {
        var recipe = new CompressionRecipe { Target = new CompressionTarget(TargetKind.Ratio, 4) };
        string path = _folder.File("small.onnx");
        await CompressionRun.RunAsync(
            ModelParts.Single(SampleFiles.Onnx), path, ModelFormat.Onnx, recipe, new RunEnvironment { WorkDirectory = _folder.File("work") }, progress: null, TestContext.Current.CancellationToken);
        var description = await InspectAsync(path);
        Assert.Contains("encoder.weight", Assert.Single(description.Findings, finding => finding.Code == "already_compressed").Detail, StringComparison.Ordinal);
        Assert.DoesNotContain(description.Findings, finding => finding.Code == "already_quantized");
    }

    [Fact]
    public async Task Unusual_types_are_told_by_type()
    {
        var description = await InspectAsync(await TestModels.WriteAsync(
            _folder.File("types.safetensors"),
            TestModels.Tensor<double>("a.weight", DType.F64, new double[16], 4, 4),
            TestModels.Tensor<double>("b.weight", DType.F64, new double[16], 4, 4),
            TestModels.Tensor<byte>("c.weight", DType.F8E4M3, new byte[16], 4, 4)));
        Assert.Equal(["a.weight", "c.weight"], description.Findings.Where(finding => finding.Code == "unusual_dtype").Select(finding => finding.Tensor));
        Assert.Contains("2 tensors of 256 bytes (a.weight, b.weight)", description.Findings[0].Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Large_tables_of_indices_bound_the_ratio()
    {
        string path = await TestModels.WriteAsync(
            _folder.File("indices.safetensors"), TestModels.Tensor<long>("index", DType.I64, new long[500], 500), TestModels.Tensor("w.weight", TestModels.Gaussian(32, 32, 0, 1), 32, 32));
        var finding = Assert.Single((await InspectAsync(path)).Findings, finding => finding.Code == "large_integer_constants");
        Assert.Equal("index", finding.Tensor);
        Assert.Contains(FormattableString.Invariant($"no ratio above {new FileInfo(path).Length / 4000.0:F2}"), finding.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Constants_that_no_node_uses_are_told()
    {
        var description = await InspectAsync(await TestModels.WriteOnnxAsync(
            _folder.File("unused.onnx"),
            [TestModels.Tensor("w", TestModels.Gaussian(4, 4, 0, 1), 4, 4), TestModels.Tensor("left_over", new float[8], 8)],
            ("MatMul", ["x", "w"], "y")));
        Assert.Equal("left_over", Assert.Single(description.Findings).Tensor);
        Assert.Equal("unused_initializers", description.Findings[0].Code);
    }

    [Fact]
    public async Task Files_beside_the_main_one_are_told()
    {
        await TestModels.WriteAsync(_folder.File("one.safetensors"), TestModels.Tensor("a.weight", TestModels.Gaussian(8, 8, 0, 1), 8, 8));
        await TestModels.WriteAsync(_folder.File("two.safetensors"), TestModels.Tensor("b.weight", TestModels.Gaussian(8, 8, 0, 2), 8, 8));
        string index = _folder.File("model.safetensors.index.json");
        await File.WriteAllTextAsync(
            index, """{"metadata":{"total_size":512},"weight_map":{"a.weight":"one.safetensors","b.weight":"two.safetensors"}}""", TestContext.Current.CancellationToken);
        var description = await ModelInspection.InspectAsync(ModelParts.Beside(index), TestContext.Current.CancellationToken);
        var finding = Assert.Single(description.Findings, finding => finding.Code == "external_data");
        Assert.Contains("2 files beside the main one: one.safetensors, two.safetensors", finding.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_model_without_weights_has_nothing_to_compress()
    {
        var description = await InspectAsync(await TestModels.WriteAsync(_folder.File("bias.safetensors"), TestModels.Tensor("bias", [1, 2, 3, 4], 4)));
        Assert.Equal("nothing_compressible", Assert.Single(description.Findings).Code);
    }

    [Fact]
    public async Task Findings_beyond_a_thousand_of_a_kind_are_counted()
    {
        var description = await InspectAsync(await TestModels.WriteAsync(
            _folder.File("many.safetensors"), [.. Enumerable.Range(0, 1100).Select(i => TestModels.Tensor(FormattableString.Invariant($"t{i:D4}"), [float.NaN], 1))]));
        Assert.Equal(1001, description.Findings.Count);
        Assert.Equal("There are 100 more findings of this kind.", description.Findings[^1].Detail);
    }

    private static Task<ModelDescription> InspectAsync(string path) => ModelInspection.InspectAsync(ModelParts.Single(path), TestContext.Current.CancellationToken);
}
