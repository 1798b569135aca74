using Condense.Engine.Structures;
using Condense.Models.Graph;
using Condense.Models.Rewriting;
using Condense.Models.Tensors;
using Xunit;

namespace Condense.Models.Tests.Rewriting;

public sealed class OnnxRewritingTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("condense-");

    // Graphs read neither 3, 5 or 6 bits nor rows that begin within a byte, and this one looks rows up.
    public static TheoryData<string> Names { get; } = [.. SampleStructures.Forms.Keys.Except(["signed int3 rows", "unsigned int5 columns", "unsigned int2 tensor"])];

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [MemberData(nameof(Names))]
    public async Task The_size_is_known_before_the_numbers_and_the_original_is_not_touched(string name)
    {
        using var model = MakeModel(("Gather", "W ids", "y"));
        string before = await Write(model, "before.onnx");
        var structure = SampleStructures.Make(name);
        using var sized = ModelRewriter.Rewrite(model, [new CompressedLayer(Layer(model), structure.Form, null, "test")]);
        using var rewritten = Rewrite(model, structure);
        string after = await Write(rewritten, "after.onnx");
        Assert.Equal(new FileInfo(after).Length, ModelWriter.Measure(sized));
        Assert.Equal(File.ReadAllBytes(before), File.ReadAllBytes(await Write(model, "again.onnx")));
        Assert.Equal(File.ReadAllBytes(after), File.ReadAllBytes(await Write(Rewrite(model, structure), "same.onnx")));
    }

    [Fact]
    public void Tensors_are_those_that_a_reader_would_list()
    {
        using var model = MakeModel(("Gather", "W ids", "y"));
        using var rewritten = Rewrite(model, SampleStructures.Make("quantized factors"));
        Assert.Equal(["b", "W.lr_u.q", "W.lr_u.scale", "W.lr_v.q", "W.lr_v.scale", "W.lr_v.zp", "groups.10.4"], rewritten.Tensors.Select(tensor => tensor.Name));
    }

    [Theory]
    [InlineData("signed int4 groups", 17, 8, "codes.4.signed I8 256×2,W.q U8 6×5,W.scale F32 6×3")]
    [InlineData("signed int4 groups", 21, 9, "codes.4.signed I8 256×2,W.q U8 6×5,W.scale F32 6×3")]
    [InlineData("unsigned int4 groups", 17, 8, "codes.4.unsigned U8 256×2,W.q U8 6×5,W.scale F32 6×3,W.zp U8 9")]
    public void Packed_rows_are_gathered_as_bytes(string name, int opset, int irVersion, string tensors)
    {
        using var model = MakeModel(("Gather", "W ids", "y"));
        Assert.Equal(tensors, Constants(model, name, opset, irVersion));
    }

    [Theory]
    [InlineData("signed int4 groups", 20, 9, "codes.4.signed I8 256×2,W.q U8 30,W.scale F32 6×3")]
    [InlineData("signed int4 groups", 21, 10, "W.q I4 6×10,W.scale F32 6×3")]
    [InlineData("unsigned int4 groups", 25, 11, "W.q U4 6×10,W.scale F32 6×3,W.zp U4 6×3")]
    [InlineData("unsigned int4 groups", 21, 9, "codes.4.unsigned U8 256×2,W.q U8 30,W.scale F32 6×3,W.zp U8 9")]
    [InlineData("unsigned int2 tensor", 25, 11, "codes.2.unsigned U8 256×4,W.q U8 15,W.scale F32 scalar,W.zp U8 1")]
    [InlineData("signed int6 in bytes", 21, 10, "W.q I8 6×10,W.scale F32 6")]
    public void Four_bits_have_a_type_of_their_own_where_the_file_may_have_it(string name, int opset, int irVersion, string tensors)
    {
        using var model = MakeModel(("MatMul", "W x", "y"));
        Assert.Equal(tensors, Constants(model, name, opset, irVersion));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(6)]
    public void Graphs_read_no_codes_that_lie_in_two_bytes(int bits)
    {
        using var model = MakeModel(("MatMul", "W x", "y"));
        Assert.False(ModelRewriter.Supports(model, Layer(model), new QuantizedForm(6, 10, bits, true, QuantizationGranularity.PerRow)));
        Assert.True(ModelRewriter.Supports(model, Layer(model), new QuantizedForm(6, 10, bits, true, QuantizationGranularity.PerRow, storedBits: 8)));
    }

    [Fact]
    public void The_metadata_says_what_the_layer_was_and_became()
    {
        using var model = MakeModel(("Gather", "W ids", "y"));
        using var rewritten = Rewrite(model, SampleStructures.Make("unsigned groups"));
        Assert.Equal(
            """{"version":1,"layers":[{"name":"W","dtype":"F32","shape":[6,10],"transposed":false,"method":"test","form":{"structure":"quantized","codeBits":8,"storedBits":8,"symmetric":false,"granularity":"perGroup","groupSize":4,"rows":6,"columns":10}}]}""",
            rewritten.Metadata["condense"]);
        Assert.Equal([new("author", "somebody"), new("condense", rewritten.Metadata["condense"])], rewritten.Program!.Metadata);
    }

    [Theory]
    [InlineData("unsigned groups", "Gather Gather Cast Gather Gather Gather Cast Sub Mul")]
    [InlineData("signed rows", "Gather Gather Cast Mul")]
    [InlineData("signed tensor", "Gather Cast Mul")]
    [InlineData("f16", "Gather Cast")]
    [InlineData("factors", "Cast Gather MatMul")]
    public void A_table_is_gathered_before_it_is_widened(string name, string operators)
    {
        using var model = MakeModel(("Gather", "W ids", "y"));
        using var rewritten = Rewrite(model, SampleStructures.Make(name));
        var nodes = rewritten.Program!.Main.Nodes;
        Assert.Equal(operators.Split(' ').Order(), nodes.Select(node => node.OpType).Order());
        var table = rewritten.Program.Main.Initializers.Where(initializer => initializer.Tensor.Shape is { Rank: 2 } shape && shape[0] == 6);
        Assert.All(table, initializer => Assert.All(nodes.Where(node => node.Inputs.Contains(initializer.Tensor.Name)), node => Assert.Equal("Gather", node.OpType)));
        Assert.Equal(("y_node", "y"), (nodes[^1].Name, nodes[^1].Outputs[0]));
    }

    [Fact]
    public void A_weight_that_several_nodes_want_whole_is_decoded_once_in_front_of_the_first()
    {
        using var model = MakeModel(("Neg", "x", "n"), ("Add", "n W", "a"), ("Add", "a W", "y"));
        using var rewritten = Rewrite(model, SampleStructures.Make("signed rows"));
        Assert.Equal(["Neg", "DequantizeLinear", "Add", "Add"], rewritten.Program!.Main.Nodes.Select(node => node.OpType));
        Assert.Equal("W", rewritten.Program.Main.Nodes[1].Outputs[0]);
    }

    [Theory]
    [InlineData(8, "Cast Cast Mul Sub")]
    [InlineData(12, "Cast Cast Mul Sub")]
    [InlineData(13, "DequantizeLinear")]
    public void Operators_are_those_of_the_models_own_opset(long opset, string operators)
    {
        using var model = MakeModel(("Add", "x W", "y"));
        model.Program!.Opsets[""] = opset;
        using var rewritten = Rewrite(model, SampleStructures.Make("unsigned columns"));
        Assert.Equal(operators.Split(' '), rewritten.Program!.Main.Nodes.Select(node => node.OpType).Where(type => type is not "Add").Order(StringComparer.Ordinal));
        Assert.Equal(opset, rewritten.Program.Opset);
    }

    [Fact]
    public void Factors_take_the_place_of_no_weight_that_is_wanted_whole()
    {
        using var model = MakeModel(("Gather", "W ids", "g"), ("Add", "x W", "y"));
        Assert.False(ModelRewriter.Supports(model, Layer(model), SampleStructures.Forms["factors"]));
        Assert.True(ModelRewriter.Supports(model, Layer(model), SampleStructures.Forms["signed rows"]));
        var exception = Assert.Throws<ArgumentException>(() => Rewrite(model, SampleStructures.Make("factors")));
        Assert.Contains("'W'", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Factors_take_the_place_of_no_output()
    {
        using var model = MakeModel(("Gather", "W ids", "y"));
        model.Program!.Main.Outputs.Add(new ValueInfo { Name = "W", DType = DType.F32 });
        Assert.False(ModelRewriter.Supports(model, Layer(model), SampleStructures.Forms["factors"]));
        using var rewritten = Rewrite(model, SampleStructures.Make("f16"));
        Assert.Contains(rewritten.Program!.Main.Nodes, node => node.Outputs.Contains("W"));
    }

    [Theory]
    [InlineData(6, "signed rows", false)]
    [InlineData(6, "f32", true)]
    [InlineData(7, "signed rows", true)]
    [InlineData(12, "bf16", false)]
    [InlineData(13, "bf16", true)]
    public void Old_opsets_take_what_they_can_decode(long opset, string name, bool expected)
    {
        using var model = MakeModel(("Gather", "W ids", "y"));
        model.Program!.Opsets[""] = opset;
        Assert.Equal(expected, ModelRewriter.Supports(model, Layer(model), SampleStructures.Forms[name]));
    }

    [Fact]
    public void A_weight_that_a_subgraph_hides_is_not_touched_there()
    {
        using var model = MakeModel(("Gather", "W ids", "y"));
        var branch = new ModelGraph { Name = "then", Parent = model.Program!.Main };
        branch.Initializers.Add(new Initializer(new Tensor("W", DType.F32, new TensorShape(2), new MemoryTensorData(new byte[8]))));
        branch.Nodes.Add(MakeNode("Add", "W W", "t"));
        var node = MakeNode("If", "c", "z");
        node.Attributes.Add(new NodeAttribute { Name = "then_branch", Kind = AttributeKind.Graph, Graphs = [branch] });
        model.Program.Main.Nodes.Add(node);
        using var rewritten = Rewrite(model, SampleStructures.Make("factors"));
        var copy = rewritten.Program!.Main.Nodes[^1].Attributes[0].Graphs[0];
        Assert.Same(rewritten.Program.Main, copy.Parent);
        Assert.Equal("W", Assert.Single(copy.Initializers).Tensor.Name);
        Assert.Equal(["W", "W"], Assert.Single(copy.Nodes).Inputs);
    }

    [Theory]
    [InlineData(8, true)]
    [InlineData(9, false)]
    public void Only_nodes_with_as_many_inputs_as_their_operators_may_have_take_factors(int inputs, bool expected)
    {
        using var model = MakeModel(("MatMul", string.Join(' ', Enumerable.Range(1, inputs - 1).Select(i => $"x{i}").Prepend("W")), "y"));
        Assert.Equal(expected, ModelRewriter.Supports(model, Layer(model), SampleStructures.Forms["factors"]));
    }

    [Fact]
    public void A_weight_that_one_node_takes_very_often_is_decoded_once()
    {
        const int Times = 100_000;
        using var model = MakeModel(("Concat", string.Join(' ', Enumerable.Repeat("W", Times)), "y"));
        Assert.False(ModelRewriter.Supports(model, Layer(model), SampleStructures.Forms["factors"]));
        using var rewritten = Rewrite(model, SampleStructures.Make("signed rows"));
        Assert.Equal(["DequantizeLinear", "Concat"], rewritten.Program!.Main.Nodes.Select(node => node.OpType));
        Assert.Equal(Times, rewritten.Program.Main.Nodes[1].Inputs.Count(input => input is "W"));
    }

    [Theory]
    [InlineData(3, WeightRole.Embedding, false)]
    [InlineData(4, WeightRole.Other, true)]
    public void A_shape_that_callers_may_override_is_not_folded(int irVersion, WeightRole role, bool kept)
    {
        using var model = MakeModel(("Reshape", "W s", "r"), ("Gather", "r ids", "y"));
        var main = model.Program!.Main;
        model.Program.IrVersion = irVersion;
        main.Initializers.Add(MakeShape("s"));
        main.Inputs.Add(new ValueInfo { Name = "s", DType = DType.I64 });
        using var rewritten = Rewrite(model, SampleStructures.Make("f16"));
        Assert.Equal(role, Layer(model).Role);
        Assert.Equal((kept, kept, kept), Keeps(rewritten.Program!.Main, "s", "Reshape"));
    }

    [Fact]
    public void An_input_with_a_default_stays_where_a_subgraph_drops_a_shape_of_that_name()
    {
        using var model = MakeModel(("If", "c", "z"));
        var main = model.Program!.Main;
        var branch = new ModelGraph { Name = "then", Parent = main };
        branch.Initializers.Add(MakeShape("s"));
        branch.Nodes.AddRange([MakeNode("Reshape", "W s", "r"), MakeNode("Gather", "r ids", "t")]);
        main.Nodes[0].Attributes.Add(new NodeAttribute { Name = "then_branch", Kind = AttributeKind.Graph, Graphs = [branch] });
        main.Initializers.Add(MakeShape("s"));
        main.Inputs.Add(new ValueInfo { Name = "s", DType = DType.I64 });
        using var rewritten = Rewrite(model, SampleStructures.Make("f16"));
        var copy = rewritten.Program!.Main.Nodes.Single(node => node.Is("If")).Attributes[0].Graphs[0];
        Assert.Equal((true, true, false), Keeps(rewritten.Program.Main, "s", "Reshape"));
        Assert.Equal((false, false, false), Keeps(copy, "s", "Reshape"));
    }

    [Fact]
    public void A_layer_of_another_model_is_refused()
    {
        using var model = MakeModel(("Gather", "W ids", "y"));
        using var other = MakeModel(("Gather", "W ids", "y"));
        Assert.Throws<ArgumentException>(() => ModelRewriter.Rewrite(model, [new CompressedLayer(Layer(other), SampleStructures.Forms["f16"], null, "test")]));
    }

    [Fact]
    public void A_constant_node_that_is_not_in_its_graph_is_refused()
    {
        using var model = MakeModel(("Constant", "", "v"), ("Gather", "v ids", "y"));
        var (main, weight) = (model.Program!.Main, model.Tensors.Single(tensor => tensor.Name is "W"));
        main.Initializers.RemoveAt(1);
        main.Nodes[0].Attributes.Add(new NodeAttribute { Name = "value", Kind = AttributeKind.Tensor, Tensors = [new Initializer(weight)] });
        var layer = Layer(model);
        using (var rewritten = ModelRewriter.Rewrite(model, [new CompressedLayer(layer, SampleStructures.Forms["f32"], null, "test")]))
        {
            Assert.Equal(["Gather"], rewritten.Program!.Main.Nodes.Select(node => node.OpType));
        }

        main.Nodes[0] = MakeNode("Constant", "", "v");
        Assert.Throws<ArgumentException>(() => ModelRewriter.Rewrite(model, [new CompressedLayer(layer, SampleStructures.Forms["f32"], null, "test")]));
    }

    private static Node MakeNode(string opType, string inputs, string output)
    {
        var node = new Node { Name = output + "_node", OpType = opType };
        node.Inputs.AddRange(inputs.Split(' '));
        node.Outputs.Add(output);
        return node;
    }

    private static Initializer MakeShape(string name)
        => new(new Tensor(name, DType.I64, new TensorShape(2), new MemoryTensorData(new byte[] { 6, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0 })));

    private static (bool Initializer, bool Input, bool Node) Keeps(ModelGraph graph, string constant, string operation)
        => (graph.Initializers.Exists(initializer => initializer.Tensor.Name == constant), graph.Inputs.Exists(input => input.Name == constant),
            graph.Nodes.Exists(node => node.Is(operation)));

    private static Model MakeModel(params (string OpType, string Inputs, string Output)[] nodes)
    {
        var program = new GraphProgram { IrVersion = 8, Main = new ModelGraph { Name = "test" } };
        program.Opsets.Add("", 17);
        program.Metadata.Add(new("author", "somebody"));
        program.Main.Initializers.Add(new Initializer(new Tensor("b", DType.F32, new TensorShape(2), new MemoryTensorData(new byte[8]))));
        program.Main.Initializers.Add(new Initializer(new Tensor("W", DType.F32, new TensorShape(6, 10), new MemoryTensorData(new byte[240]))));
        program.Main.Nodes.AddRange(nodes.Select(node => MakeNode(node.OpType, node.Inputs, node.Output)));
        return new Model(
            ModelFormat.Onnx,
            [.. program.Main.Initializers.Select(initializer => initializer.Tensor)],
            program,
            new Dictionary<string, string>(StringComparer.Ordinal) { ["author"] = "somebody" },
            []);
    }

    private static string Constants(Model model, string name, int opset, int irVersion)
    {
        model.Program!.Opsets[""] = opset;
        model.Program.IrVersion = irVersion;
        using var rewritten = Rewrite(model, SampleStructures.Make(name));
        return string.Join(',', rewritten.Program!.Main.Initializers.Select(initializer => initializer.Tensor)
            .Where(tensor => tensor.Name.StartsWith("W.", StringComparison.Ordinal) || tensor.Name.StartsWith("codes.", StringComparison.Ordinal))
            .OrderBy(tensor => tensor.Name, StringComparer.OrdinalIgnoreCase).Select(tensor => $"{tensor.Name} {tensor.DType} {tensor.Shape}"));
    }

    private static Layer Layer(Model model) => LayerFinder.Find(model).Single(layer => layer.Tensor.Shape.ElementCount == 60);

    private static Model Rewrite(Model model, StructuredMatrix structure)
    {
        var data = StructureTensors.Write(structure, "").ToDictionary(tensor => tensor.Name, tensor => tensor.Data, StringComparer.Ordinal);
        return ModelRewriter.Rewrite(model, [new CompressedLayer(Layer(model), structure.Form, suffix => data[suffix], "test")]);
    }

    private async Task<string> Write(Model model, string name)
    {
        string path = Path.Combine(_folder.FullName, name);
        await ModelWriter.WriteAsync(model, path, TestContext.Current.CancellationToken);
        return path;
    }
}
