using System.Runtime.InteropServices;
using Condense.Engine.Structures;
using Condense.Execution.OnnxRuntime;
using Condense.Execution.Tests.OnnxRuntime;
using Condense.Models;
using Condense.Models.Graph;
using Condense.Models.Rewriting;
using Condense.Models.Tensors;
using Xunit;
using static Condense.Execution.Tests.TestModel;

namespace Condense.Execution.Tests.Rewriting;

/// <summary>Originals whose weights are integer codes already.</summary>
public sealed class QuantizedOriginalTests : IDisposable
{
    private const int Rows = 20;
    private const int Columns = 12;

    private readonly TemporaryFolder _folder = new();

    /// <summary>The opset, the type of codes, the axis of the scales (−1: one scale), how many share one, whether there are zero points.</summary>
    public static TheoryData<int, DType, int, int, bool> Formats => new()
    {
        { 10, DType.I8, -1, 0, false },
        { 11, DType.U8, -1, 0, true },
        { 13, DType.I8, 0, 0, false },
        { 13, DType.U8, 1, 0, true },
        { 17, DType.I8, 1, 0, true },
        { 21, DType.I8, 0, 8, false },
        { 21, DType.U8, 1, 5, true },
        { 21, DType.I4, 0, 16, false },
        { 21, DType.U4, 1, 4, true },
    };

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Formats))]
    public async Task Codes_are_read_as_the_numbers_that_they_stand_for(int opset, DType type, int axis, int group, bool zeros)
    {
        var library = RuntimeLibrary.Require();
        using var model = Build(opset, type, axis, group, zeros);
        var layer = FindCodes(model);
        Assert.Equal(("codes", WeightRole.Softmax, "MatMul", Columns, Rows, true), (layer.Name, layer.Role, layer.Operator, layer.Rows, layer.Columns, layer.Transposed));
        Assert.Equal(type, layer.StoredType);
        Assert.Equal(type.ByteLength(new TensorShape(Rows, Columns)), layer.Quantized[0].Data.ByteLength);
        Assert.Equal(layer.Quantized.Sum(tensor => tensor.Data.ByteLength), layer.StoredBytes);

        // A unit matrix times the weight is the weight.
        await ModelWriter.WriteAsync(model, _folder.File("model.onnx"), TestContext.Current.CancellationToken);
        using var session = new OnnxRuntimeSession(library, _folder.File("model.onnx"), OptimisationLevel.Disabled, threads: 1);
        float[] unit = new float[Rows * Rows];
        for (int i = 0; i < Rows; i++)
        {
            unit[(i * Rows) + i] = 1;
        }

        var result = session.Run(new Dictionary<string, RuntimeTensor>(StringComparer.Ordinal)
        {
            ["x"] = new RuntimeTensor(DType.F32, new TensorShape(Rows, Rows), MemoryMarshal.AsBytes(unit.AsSpan()).ToArray()),
        });
        float[] expected = MemoryMarshal.Cast<byte, float>(result["y"].Data).ToArray();
        var found = WeightReader.Read(layer);
        for (int row = 0; row < Rows; row++)
        {
            for (int column = 0; column < Columns; column++)
            {
                Assert.Equal(expected[(row * Columns) + column], found[column, row]);
            }
        }

        // Bytes from the middle of an element on.
        byte[] all = new byte[layer.Tensor.Data.ByteLength];
        layer.Tensor.Data.Read(0, all);
        byte[] part = new byte[101];
        layer.Tensor.Data.Read(203, part);
        Assert.Equal(all[203..304], part);
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public async Task Codes_give_way_to_factors(int opset, DType type, int axis, int group, bool zeros)
    {
        var library = RuntimeLibrary.Require();
        using var model = Build(opset, type, axis, group, zeros);
        var layer = FindCodes(model);
        var structure = StructureCases.Random(new ProductForm(new DenseForm(Columns, 3, FloatFormat.F32), new DenseForm(3, Rows, FloatFormat.F32)), new Random(5));
        using var rewritten = Rewrite(model, layer, structure);
        Assert.DoesNotContain(rewritten.Tensors, tensor => tensor.Name is "codes" or "scale" or "zero");
        Assert.Equal(["MatMul", "MatMul"], rewritten.Program!.Main.Nodes.Select(node => node.OpType));
        Assert.Equal("codes", Assert.Single(ModelRewriter.FindStructured(rewritten)).Name);

        var context = WeightContexts.All.Single(context => string.Equals(context.Name, "matmul", StringComparison.Ordinal));
        using var reference = context.Build(structure.ToDense(), opset);
        await ModelWriter.WriteAsync(reference, _folder.File("reference.onnx"), TestContext.Current.CancellationToken);
        await ModelWriter.WriteAsync(rewritten, _folder.File("rewritten.onnx"), TestContext.Current.CancellationToken);
        var comparison = OutputComparison.Compare(
            library, _folder.File("reference.onnx"), _folder.File("rewritten.onnx"), new Dictionary<string, long>(StringComparer.Ordinal), seed: 1);
        Assert.Null(comparison.Problem);
        Assert.Equal(0, comparison.RelativeUnoptimised, 1e-5);
    }

    [Fact]
    public void Codes_that_another_node_uses_stay()
    {
        using var model = Build(13, DType.I8, -1, 0, zeros: false, m => m.Node("DequantizeLinear", "codes scale", "other").Node("Neg", "other", "n").Output("n", DType.F32, 2));
        var layers = LayerFinder.Find(model);
        Assert.Equal(["codes", "codes#2"], layers.Select(layer => layer.Name));
        using var rewritten = Rewrite(model, layers[0], StructureCases.Random(new DenseForm(Columns, Rows, FloatFormat.F16), new Random(5)));
        Assert.Equal(["codes", "scale"], rewritten.Tensors.Select(tensor => tensor.Name).Where(name => name is "codes" or "scale" or "zero").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void What_was_quantized_here_can_be_compressed_again()
    {
        var codes = StructureCases.Random(new QuantizedForm(Columns, Rows, 8, true, QuantizationGranularity.PerRow), new Random(5));
        using var model = WeightContexts.All.Single(context => string.Equals(context.Name, "matmul", StringComparison.Ordinal)).Build(codes.ToDense(), 17);
        using var once = Rewrite(model, LayerFinder.Find(model).Single(), codes);
        var layer = Assert.Single(LayerFinder.Find(once));
        Assert.Equal(codes.ToDense().Values, WeightReader.Read(layer).Values);
        var factors = StructureCases.Random(new ProductForm(new DenseForm(Columns, 3, FloatFormat.F32), new DenseForm(3, Rows, FloatFormat.F32)), new Random(5));
        using var twice = Rewrite(once, layer, factors);
        Assert.Equal("W.q", Assert.Single(ModelRewriter.FindStructured(twice)).Name);
    }

    // Scales of blocks are a matrix too.
    private static Layer FindCodes(Model model) => LayerFinder.Find(model).Single(layer => string.Equals(layer.Name, "codes", StringComparison.Ordinal));

    private static Model Build(int opset, DType type, int axis, int group, bool zeros, Action<TestModel>? more = null)
    {
        var random = new Random(3);
        byte[] codes = new byte[type.ByteLength(new TensorShape(Rows, Columns))];
        random.NextBytes(codes);
        var shape = axis < 0 ? new TensorShape() : group == 0 ? new TensorShape(axis == 0 ? Rows : Columns)
            : axis == 0 ? new TensorShape((Rows + group - 1) / group, Columns) : new TensorShape(Rows, (Columns + group - 1) / group);
        byte[] points = new byte[type.ByteLength(shape)];
        random.NextBytes(points);
        float[] scales = [.. Enumerable.Range(0, (int)shape.ElementCount).Select(_ => (float)random.NextDouble() / 100)];
        var model = Create(opset, irVersion: opset >= 21 ? 10 : 8)
            .Initializer(new Tensor("codes", type, new TensorShape(Rows, Columns), new MemoryTensorData(codes))).Initializer(Floats("scale", shape, scales));
        if (zeros)
        {
            model.Initializer(new Tensor("zero", type, shape, new MemoryTensorData(points)));
        }

        NodeAttribute[] attributes = axis < 0 ? [] : group == 0 ? [Int("axis", axis)] : [Int("axis", axis), Int("block_size", group)];
        model.Input("x", DType.F32, -1, Rows).Node("DequantizeLinear", zeros ? "codes scale zero" : "codes scale", "W", attributes).Node("MatMul", "x W", "y").Output("y", DType.F32, 2);
        more?.Invoke(model);
        return model.Build();
    }

    private static Model Rewrite(Model model, Layer layer, StructuredMatrix structure)
    {
        var data = StructureTensors.Write(structure, "").ToDictionary(tensor => tensor.Name, tensor => tensor.Data, StringComparer.Ordinal);
        return ModelRewriter.Rewrite(model, [new CompressedLayer(layer, structure.Form, suffix => data[suffix], "test")]);
    }
}
