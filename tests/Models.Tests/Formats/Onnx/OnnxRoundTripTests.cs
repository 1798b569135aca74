using System.Text;
using Condense.Models.Formats.Onnx;
using Condense.Models.Graph;
using Condense.Models.Tensors;
using Xunit;
using static Condense.Models.Tests.Formats.Onnx.OnnxMessages;

namespace Condense.Models.Tests.Formats.Onnx;

public sealed class OnnxRoundTripTests : IDisposable
{
    private readonly ModelFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Everything_in_a_file_is_read_and_survives_writing()
    {
        using var first = _folder.Read(OnnxSamples.RichModel());
        string path = _folder.PathOf("again.onnx");
        var paths = await OnnxWriter.WriteAsync(first, path, TestContext.Current.CancellationToken);
        using var second = OnnxReader.Read(ModelParts.Single(path), ReadLimits.Default);

        Assert.Equal([path], paths);
        Assert.Equal(ProgramText.Of(first.Program!), ProgramText.Of(second.Program!));
        Assert.Equal(new FileInfo(path).Length, OnnxWriter.Measure(first));
    }

    [Fact]
    public void Each_field_arrives_in_its_place()
    {
        using var model = _folder.Read(OnnxSamples.RichModel());
        var program = model.Program!;

        Assert.Equal((8, 3), (program.IrVersion, program.ModelVersion));
        Assert.Equal(("maker", "1.2", "org.example"), (program.ProducerName, program.ProducerVersion, program.Domain));
        Assert.Equal("a model", program.DocString);
        Assert.Equal(17, program.Opset);
        Assert.Equal(1, program.Opsets["com.microsoft"]);
        Assert.Equal([new("author", "someone"), new("", "")], program.Metadata);
        Assert.Equal("someone", model.Metadata["author"]);
        Assert.Equal(new ProtoMessage().Int(77, 5).ToArray(), program.Unknown);

        var main = program.Main;
        Assert.Equal(["If", "Clip", "FusedMatMul", "Twice"], main.Nodes.Select(node => node.OpType));
        Assert.Equal(["x", "", "max"], main.Nodes[1].Inputs);
        Assert.Equal("com.microsoft", main.Nodes[2].Domain);
        Assert.Equal("fast", main.Nodes[3].Overload);
        Assert.Equal("said of the node", main.Nodes[1].DocString);
        Assert.Equal(new ProtoMessage().Message(9, Entry("k", "v")).ToArray(), main.Nodes[1].Unknown);
        Assert.Equal([1.5f, -2], main.Nodes[2].Attribute("floats")!.Floats);
        Assert.Equal([3L, -4], main.Nodes[2].Attribute("ints")!.Ints);
        Assert.Equal("text", Encoding.UTF8.GetString(main.Nodes[2].Attribute("string")!.Strings[0].AsSpan()));
        Assert.Equal("outer", main.Nodes[2].Attribute("referring")!.Reference);
        Assert.Equal(0, Assert.Single(main.Nodes[2].Attribute("left out")!.Ints));

        var branch = Assert.Single(main.Nodes[0].Attribute("then_branch")!.Graphs);
        Assert.Same(main, branch.Parent);
        Assert.Equal("inner", Assert.Single(branch.Initializers).Tensor.Name);
        Assert.Equal(DType.F32, main.Inputs[0].DType);
        Assert.Equal([new Dimension(null, "n1"), new Dimension(4, "")], main.Inputs[0].Shape.AsEnumerable());
        Assert.True(main.Inputs[1].Shape.IsDefault);
        Assert.Null(main.Inputs[1].DType);

        var function = Assert.Single(program.Functions);
        Assert.Equal(("Twice", "local", "fast"), (function.Name, function.Domain, function.Overload));
        Assert.Equal(["a"], function.Inputs);
        Assert.Equal(["b"], function.Outputs);
        Assert.Equal(["alpha"], function.Attributes);
        Assert.Equal(17, function.Opsets[""]);
        Assert.Equal("Add", Assert.Single(function.Body.Nodes).OpType);
        Assert.Equal(["inner", "table", "words"], model.Tensors.Select(tensor => tensor.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Equal_models_give_equal_files()
    {
        using var model = _folder.Read(OnnxSamples.RichModel());
        await OnnxWriter.WriteAsync(model, _folder.PathOf("a.onnx"), TestContext.Current.CancellationToken);
        using var again = OnnxReader.Read(ModelParts.Single(_folder.PathOf("a.onnx")), ReadLimits.Default);
        await OnnxWriter.WriteAsync(again, _folder.PathOf("b.onnx"), TestContext.Current.CancellationToken);

        Assert.Equal(await Bytes("a.onnx"), await Bytes("b.onnx"));
    }

    [Fact]
    public async Task A_changed_type_is_written_instead_of_the_old_one()
    {
        using var model = _folder.Read(ModelOf(GraphOf().Message(11, Value("x", F32, 2, 3)).Message(11, Value("y", F32, 2, 3))));
        model.Program!.Main.Inputs[0].DType = DType.F16;
        model.Program.Main.Inputs[1].Shape = [new(null, "batch"), new(null, ""), new(7, "")];
        await OnnxWriter.WriteAsync(model, _folder.PathOf("changed.onnx"), TestContext.Current.CancellationToken);
        using var again = OnnxReader.Read(ModelParts.Single(_folder.PathOf("changed.onnx")), ReadLimits.Default);

        Assert.Equal(DType.F16, again.Program!.Main.Inputs[0].DType);
        Assert.Equal([new Dimension(2, ""), new Dimension(3, "")], again.Program.Main.Inputs[0].Shape.AsEnumerable());
        Assert.Equal([new Dimension(null, "batch"), new Dimension(null, ""), new Dimension(7, "")], again.Program.Main.Inputs[1].Shape.AsEnumerable());
    }

    [Fact]
    public async Task Fields_are_written_in_ascending_order()
    {
        using var model = _folder.Read(OnnxSamples.RichModel());
        model.Program!.Unknown = [];
        await OnnxWriter.WriteAsync(model, _folder.PathOf("a.onnx"), TestContext.Current.CancellationToken);
        var fields = TopLevelFields(await Bytes("a.onnx"));

        Assert.Equal(fields.Order(), fields);
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8, 8, 14, 14, 25], fields);
    }

    [Fact]
    public void Identify_reads_the_header_and_passes_the_graph_by()
    {
        // The graph's content is not even protocol buffers.
        var model = new ProtoMessage().Int(1, 9).Text(2, "maker").Text(3, "1.2").Bytes(7, 0xFF, 0xFF, 0xFF);
        var identity = OnnxReader.Identify(ModelParts.Single(_folder.Write("m", model.ToArray())), ReadLimits.Default);

        Assert.Equal(new ModelIdentity(ModelFormat.Onnx, null, 9, "maker 1.2"), identity);
    }

    [Fact]
    public void Nested_subgraphs_are_read_and_written_without_deepening_the_stack()
    {
        const int Depth = 1000;
        var graph = GraphOf();
        for (int i = 0; i < Depth; i++)
        {
            graph = GraphOf(Node("If", ["c"], ["y"], "", GraphAttribute("then_branch", graph)));
        }

        byte[] bytes = ModelOf(graph).ToArray();
        int graphs = 0;
        long measured = 0;
        var thread = new Thread(
            () =>
            {
                using var model = _folder.Read(bytes, new ReadLimits { Depth = 10 * Depth });
                graphs = model.Program!.AllGraphs().Count();
                measured = OnnxWriter.Measure(model);
            },
            maxStackSize: 128 << 10);
        thread.Start();
        thread.Join();

        Assert.Equal(Depth + 1, graphs);
        Assert.Equal(bytes.Length, measured);
    }

    private Task<byte[]> Bytes(string name) => File.ReadAllBytesAsync(_folder.PathOf(name), TestContext.Current.CancellationToken);

    private static List<int> TopLevelFields(byte[] bytes)
    {
        var reader = new WireReader(new MemoryTensorData(bytes), new ReadBudget(ReadLimits.Default));
        var fields = new List<int>();
        while (reader.TryReadTag())
        {
            fields.Add(reader.Field);
            reader.Skip();
        }

        return fields;
    }
}
