using System.Runtime.InteropServices;
using Condense.Execution.OnnxRuntime;
using Condense.Models;
using Condense.Models.Tensors;
using Xunit;
using static Condense.Execution.Tests.TestModel;

namespace Condense.Execution.Tests.OnnxRuntime;

public sealed class OutputComparisonTests : IDisposable
{
    private static readonly Dictionary<string, long> s_limits = new(StringComparer.Ordinal) { ["ids"] = 4 };
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_model_differs_from_itself_by_nothing()
    {
        var result = await Compare(Scaled(2), Scaled(2));
        Assert.Null(result.Problem);
        Assert.Equal(0, result.RelativeUnoptimised);
        Assert.Equal(0, result.RelativeDefault);
        Assert.Equal($"ONNX Runtime {RuntimeLibrary.Require().Version}", result.Runtime);
        Assert.Equal("seed 1: x 1×8 from N(0,1)", result.Inputs);
    }

    [Fact]
    public async Task The_difference_is_relative_to_the_original()
    {
        var result = await Compare(Scaled(2), Scaled(1.5f));
        Assert.Equal(0.25, result.RelativeUnoptimised, 1e-7);
        Assert.Equal(0.25, result.RelativeDefault, 1e-7);
    }

    [Fact]
    public async Task Sizes_are_tried_until_the_original_runs()
    {
        // The reshape wants a number of columns that 48 divides.
        var model = () => Create(17).Input("x", DType.F32, -1, -1).Initializer(Longs("s", new TensorShape(2), -1, 48)).Node("Reshape", "x s", "y").Output("y", DType.F32, 2);
        var result = await Compare(model(), model());
        Assert.Null(result.Problem);
        Assert.Contains("1×48", result.Inputs, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ids_stay_within_their_table()
    {
        var table = Floats("W", new TensorShape(4, 1), [1f, 2f, 3f, 4f]);
        var model = () => Create(17).Input("ids", DType.I64, 100).Initializer(table).Node("Gather", "W ids", "y").Output("y", DType.F32, 2);
        Assert.Contains("from [0,4)", (await Compare(model(), model())).Inputs, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_original_that_can_not_be_run_is_told_and_not_thrown()
    {
        var model = () => Create(17).Input("x", DType.F32, 3).Initializer(Longs("s", new TensorShape(1), 7)).Node("Reshape", "x s", "y").Output("y", DType.F32, 1);
        var result = await Compare(model(), model());
        Assert.Contains("The original could not be run", result.Problem, StringComparison.Ordinal);
        Assert.Contains("Reshape", result.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_result_that_can_not_be_loaded_is_told_and_not_thrown()
    {
        var result = await Compare(Scaled(1), Create(17).Input("x", DType.F32, -1, -1).Node("NoSuchOperator", "x", "y").Output("y", DType.F32, 2));
        Assert.Contains("The result could not be loaded", result.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_model_without_float_outputs_is_told()
    {
        var model = () => Create(17).Input("x", DType.F32, 1, 8).Node("Shape", "x", "y").Output("y", DType.I64, 1);
        Assert.Contains("no floating-point output", (await Compare(model(), model())).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void All_outputs_count_together()
        => Assert.Equal(0.6, OutputComparison.Difference(Outputs([3], [4]), Outputs([0], [4])), 1e-12);

    [Theory]
    [InlineData(float.NaN, float.NaN, 0)]
    [InlineData(float.PositiveInfinity, float.PositiveInfinity, 0)]
    [InlineData(float.PositiveInfinity, float.NegativeInfinity, double.PositiveInfinity)]
    [InlineData(1, float.NaN, double.PositiveInfinity)]
    [InlineData(0, 1, double.PositiveInfinity)]
    public void Numbers_that_are_not_finite_must_be_the_same(float expected, float actual, double difference)
        => Assert.Equal(difference, OutputComparison.Difference(Outputs([expected]), Outputs([actual])));

    [Fact]
    public void An_output_of_another_shape_is_an_error()
        => Assert.Throws<OnnxRuntimeException>(() => OutputComparison.Difference(Outputs([1, 2]), Outputs([1])));

    private static TestModel Scaled(float factor)
        => Create(17).Input("x", DType.F32, -1, -1).Initializer(Floats("f", new TensorShape(), [factor])).Node("Mul", "x f", "y").Output("y", DType.F32, 2);

    private static Dictionary<string, RuntimeTensor> Outputs(params float[][] outputs) => outputs
        .Select((values, number) => (Name: $"y{number}", Tensor: new RuntimeTensor(DType.F32, new TensorShape(values.Length), MemoryMarshal.AsBytes(values.AsSpan()).ToArray())))
        .ToDictionary(pair => pair.Name, pair => pair.Tensor, StringComparer.Ordinal);

    private async Task<OutputComparison> Compare(TestModel original, TestModel result)
    {
        var library = RuntimeLibrary.Require();
        using var first = original.Build();
        using var second = result.Build();
        await ModelWriter.WriteAsync(first, _folder.File("original.onnx"), TestContext.Current.CancellationToken);
        await ModelWriter.WriteAsync(second, _folder.File("result.onnx"), TestContext.Current.CancellationToken);
        return OutputComparison.Compare(library, _folder.File("original.onnx"), _folder.File("result.onnx"), s_limits, seed: 1);
    }
}
