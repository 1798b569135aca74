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

/// <summary>What files have that is out of the ordinary: old versions, functions, half precision, several layers at once.</summary>
public sealed class RewrittenFileTests : IDisposable
{
    private static readonly QuantizedForm s_rows = new(12, 20, 8, symmetric: false, QuantizationGranularity.PerRow);
    private static readonly ProductForm s_factors = new(new DenseForm(12, 3, FloatFormat.F32), new DenseForm(3, 20, FloatFormat.F32));
    private static readonly RowPartitionForm s_partition = new([new DenseForm(5, 20, FloatFormat.F16), new QuantizedForm(7, 20, 8, true, QuantizationGranularity.PerRow)]);
    private static readonly QuantizedForm s_nibbles = new(12, 20, 4, symmetric: false, QuantizationGranularity.PerGroup, 8);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("matmul")]
    [InlineData("gather")]
    [InlineData("conv")]
    [InlineData("constant node")]
    [InlineData("constant inside a branch")]
    public async Task Old_files_name_initializers_as_inputs(string contextName)
    {
        var context = WeightContexts.All.Single(context => string.Equals(context.Name, contextName, StringComparison.Ordinal));
        var structure = StructureCases.Random(s_rows, new Random(5));
        using var model = context.Build(structure.ToDense(), opset: 8, irVersion: 3);
        foreach (var graph in model.Program!.AllGraphs())
        {
            graph.Initializers.RemoveAll(initializer => graph.Parent is not null);
        }

        if (contextName.Contains("branch", StringComparison.Ordinal))
        {
            var otherwise = model.Program.AllGraphs().Single(graph => string.Equals(graph.Name, "else", StringComparison.Ordinal));
            otherwise.Nodes[0].Inputs[1] = "zeros";
            model.Program.Main.Initializers.Add(new Initializer(Floats("zeros", new TensorShape(20, 12), new float[240])));
        }

        var main = model.Program.Main;
        main.Inputs.AddRange(main.Initializers.Select(initializer => new ValueInfo
        {
            Name = initializer.Tensor.Name,
            DType = initializer.Tensor.DType,
            Shape = [.. initializer.Tensor.Shape.Dimensions.Select(size => new Dimension(size, ""))],
        }));
        using var rewritten = Rewrite(model, (context.FindLayer(model), structure));
        Assert.Equal(3, rewritten.Program!.IrVersion);
        var inputs = rewritten.Program.Main.Inputs.Select(input => input.Name).ToHashSet(StringComparer.Ordinal);
        Assert.All(rewritten.Program.Main.Initializers, initializer => Assert.Contains(initializer.Tensor.Name, inputs));
        Assert.DoesNotContain("W", inputs);
        Assert.All(rewritten.Program.AllGraphs().Where(graph => graph.Parent is not null), graph => Assert.Empty(graph.Initializers));
        Assert.Equal(0, await Difference(model, rewritten), 1e-5);
    }

    [Fact]
    public async Task A_weight_in_a_function_stays_in_the_function()
    {
        var structure = StructureCases.Random(s_factors, new Random(5));
        var model = Create(17).Input("x", DType.F32, 4, 12).Node("Project", "x", "y").Output("y", DType.F32, 2);
        model.Graph.Nodes[0].Domain = "own";
        model.Program.Opsets.Add("own", 1);
        var body = new ModelGraph { Name = "Project" };
        body.Nodes.AddRange(Create(17).Constant(Floats("W", new TensorShape(12, 20), structure.ToDense().Values), "W").Node("MatMul", "a W", "b").Graph.Nodes);
        var function = new GraphFunction { Name = "Project", Domain = "own", Body = body };
        function.Inputs.Add("a");
        function.Outputs.Add("b");
        function.Opsets.Add("", 17);
        model.Program.Functions.Add(function);
        using var built = model.Build();
        var layer = LayerFinder.Find(built).Single() with { Rows = 12, Columns = 20, Transposed = false };
        using var rewritten = Rewrite(built, (layer, structure));
        Assert.Empty(rewritten.Program!.Functions[0].Body.Initializers);
        Assert.Equal(["Constant", "Constant", "MatMul", "MatMul"], rewritten.Program.Functions[0].Body.Nodes.Select(node => node.OpType));
        Assert.Equal(0, await Difference(built, rewritten), 1e-5);
    }

    // ONNX Runtime's default level makes one MatMulNBits of these, where the last group of 40 is short too.
    [Theory]
    [InlineData(16, true)]
    [InlineData(16, false)]
    [InlineData(32, true)]
    [InlineData(32, false)]
    public async Task Groups_of_4_bits_are_multiplied_directly_by_default(int groupSize, bool symmetric)
    {
        var structure = StructureCases.Random(new QuantizedForm(24, 40, 4, symmetric, QuantizationGranularity.PerGroup, groupSize), new Random(5));
        float[] turned = [.. Enumerable.Range(0, 960).Select(i => structure.ToDense()[i % 24, i / 24])];
        using var model = Create(21, irVersion: 10).Initializer(Floats("W", new TensorShape(40, 24), turned))
            .Input("x", DType.F32, 5, 40).Node("MatMul", "x W", "y").Output("y", DType.F32, 2).Build();
        using var rewritten = Rewrite(model, (LayerFinder.Find(model).Single(), structure));
        Assert.Equal(["DequantizeLinear", "MatMul"], rewritten.Program!.Main.Nodes.Select(node => node.OpType));
        var library = RuntimeLibrary.Require();
        await ModelWriter.WriteAsync(model, _folder.File("original.onnx"), TestContext.Current.CancellationToken);
        await ModelWriter.WriteAsync(rewritten, _folder.File("result.onnx"), TestContext.Current.CancellationToken);
        var comparison = OutputComparison.Compare(library, _folder.File("original.onnx"), _folder.File("result.onnx"), new Dictionary<string, long>(StringComparer.Ordinal), seed: 1);
        Assert.Null(comparison.Problem);
        Assert.Equal(0, comparison.RelativeUnoptimised, 1e-5);

        // The kernel rounds activations to 8 bits.
        Assert.Equal(0, comparison.RelativeDefault, 2e-2);
    }

    [Theory]
    [InlineData("MatMul")]
    [InlineData("Gather")]
    public async Task Half_precision_stays_half_precision(string opType)
    {
        foreach (var form in (StructureForm[])[s_rows, s_factors, s_partition, s_nibbles])
        {
            var structure = StructureCases.Random(form, new Random(5));
            var halves = new DenseMatrix(structure.ToDense(), FloatFormat.F16);
            var tensor = StructureTensors.Write(halves, "W").Single();
            var model = Create(17).Initializer(tensor);
            model = opType is "MatMul"
                ? model.Input("x", DType.F16, 20, 4).Node("MatMul", "W x", "y").Output("y", DType.F16, 2)
                : model.Input("ids", DType.I64, 6).Node("Gather", "W ids", "y").Output("y", DType.F16, 2);
            using var built = model.Build();
            using var rewritten = Rewrite(built, (LayerFinder.Find(built).Single(), structure));

            // Halves have 11 bits: sums of 20 products agree to a few units of the last place.
            Assert.Equal(0, await Difference(built, rewritten), 2e-3);
        }
    }

    [Fact]
    public async Task Several_layers_are_replaced_at_once_and_meet_in_one_node()
    {
        var random = new Random(5);
        var left = StructureCases.Random(s_factors, random);
        var right = StructureCases.Random(new ProductForm(new DenseForm(20, 2, FloatFormat.F16), new DenseForm(2, 9, FloatFormat.F16)), random);
        var model = Create(17).Initializer(Floats("A", new TensorShape(12, 20), left.ToDense().Values)).Initializer(Floats("B", new TensorShape(20, 9), right.ToDense().Values))
            .Input("x", DType.F32, 4, 12).Node("MatMul", "A B", "p").Node("MatMul", "x p", "y").Node("Gemm", "A B", "v").Output("y", DType.F32, 2).Output("v", DType.F32, 2);
        using var built = model.Build();
        var layers = LayerFinder.Find(built).ToDictionary(layer => layer.Name, StringComparer.Ordinal);
        using var rewritten = Rewrite(built, (layers["A"], left), (layers["B"] with { Rows = 20, Columns = 9, Transposed = false }, right));
        Assert.Equal(0, await Difference(built, rewritten), 1e-5);
    }

    [Fact]
    public async Task A_compressed_model_is_compressed_again()
    {
        var structure = StructureCases.Random(s_factors, new Random(5));
        using var model = Create(17).Initializer(Floats("W", new TensorShape(12, 20), structure.ToDense().Values))
            .Input("x", DType.F32, 20, 4).Node("MatMul", "W x", "y").Output("y", DType.F32, 2).Build();
        using var once = Rewrite(model, (LayerFinder.Find(model).Single(), structure));
        var factor = LayerFinder.Find(once).Single(layer => string.Equals(layer.Name, "W.lr_u", StringComparison.Ordinal));
        var codes = StructureCases.Random(new QuantizedForm(12, 3, 8, true, QuantizationGranularity.PerTensor), new Random(6));
        using var twice = Rewrite(once, (factor, codes));
        var found = Assert.Single(ModelRewriter.FindStructured(twice));
        Assert.Equal("W.lr_u", found.Name);
        await ModelWriter.WriteAsync(twice, _folder.File("twice.onnx"), TestContext.Current.CancellationToken);
        using var session = new OnnxRuntimeSession(RuntimeLibrary.Require(), _folder.File("twice.onnx"), OptimisationLevel.Default, 1);
        Assert.Single(session.Inputs);
    }

    private static Model Rewrite(Model model, params (Layer Layer, StructuredMatrix Structure)[] layers) => ModelRewriter.Rewrite(model, [.. layers.Select(pair =>
    {
        var data = StructureTensors.Write(pair.Structure, "").ToDictionary(tensor => tensor.Name, tensor => tensor.Data, StringComparer.Ordinal);
        return new CompressedLayer(pair.Layer, pair.Structure.Form, suffix => data[suffix], "test");
    })]);

    private async Task<double> Difference(Model original, Model result)
    {
        var library = RuntimeLibrary.Require();
        await ModelWriter.WriteAsync(original, _folder.File("original.onnx"), TestContext.Current.CancellationToken);
        await ModelWriter.WriteAsync(result, _folder.File("result.onnx"), TestContext.Current.CancellationToken);
        var limits = new Dictionary<string, long>(StringComparer.Ordinal) { ["ids"] = 12 };
        var comparison = OutputComparison.Compare(library, _folder.File("original.onnx"), _folder.File("result.onnx"), limits, seed: 1);
        Assert.Null(comparison.Problem);
        return comparison.RelativeUnoptimised;
    }
}
