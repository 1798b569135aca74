using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text;
using Condense.Models;
using Condense.Models.Graph;
using Condense.Models.Tensors;

namespace Condense.Execution.Tests;

/// <summary>Builds small ONNX models, one call a node.</summary>
internal sealed class TestModel
{
    private readonly ModelGraph _graph;

    private TestModel(GraphProgram program, ModelGraph graph)
    {
        Program = program;
        _graph = graph;
    }

    public GraphProgram Program { get; }

    public ModelGraph Graph => _graph;

    public static TestModel Create(long opset, long irVersion = 8)
    {
        var program = new GraphProgram { IrVersion = irVersion, Main = new ModelGraph { Name = "test" } };
        program.Opsets.Add("", opset);
        return new TestModel(program, program.Main);
    }

    /// <summary>A subgraph, to be given to a node as an attribute.</summary>
    public TestModel Subgraph(string name) => new(Program, new ModelGraph { Name = name, Parent = _graph });

    public TestModel Input(string name, DType type, params ReadOnlySpan<long> shape)
    {
        _graph.Inputs.Add(Value(name, type, shape));
        return this;
    }

    public TestModel Output(string name, DType type, int rank)
    {
        _graph.Outputs.Add(new ValueInfo { Name = name, DType = type, Shape = [.. Enumerable.Range(0, rank).Select(_ => new Dimension(null, ""))] });
        return this;
    }

    public TestModel Initializer(Tensor tensor)
    {
        _graph.Initializers.Add(new Initializer(tensor));
        return this;
    }

    public TestModel Constant(Tensor tensor, string output)
    {
        var node = new Node { Name = output + "_node", OpType = "Constant" };
        node.Outputs.Add(output);
        node.Attributes.Add(new NodeAttribute { Name = "value", Kind = AttributeKind.Tensor, Tensors = [new Initializer(tensor)] });
        _graph.Nodes.Add(node);
        return this;
    }

    /// <summary>A node; names stand with spaces in between, <c>_</c> for one that is left out.</summary>
    public TestModel Node(string opType, string inputs, string outputs, params ReadOnlySpan<NodeAttribute> attributes)
    {
        var node = new Node { Name = outputs.Split(' ')[0] + "_node", OpType = opType };
        node.Inputs.AddRange(Names(inputs));
        node.Outputs.AddRange(Names(outputs));
        node.Attributes.AddRange(attributes);
        _graph.Nodes.Add(node);
        return this;
    }

    public Model Build() => new(
        ModelFormat.Onnx,
        [.. Program.AllGraphs().SelectMany(graph => graph.Nodes.SelectMany(node => node.Attributes).SelectMany(attribute => attribute.Tensors)
            .Concat(graph.Initializers)).Select(initializer => initializer.Tensor)],
        Program,
        new Dictionary<string, string>(StringComparer.Ordinal),
        []);

    public static NodeAttribute Int(string name, long value) => new() { Name = name, Kind = AttributeKind.Int, Ints = [value] };

    public static NodeAttribute Ints(string name, params ImmutableArray<long> values) => new() { Name = name, Kind = AttributeKind.Ints, Ints = values };

    public static NodeAttribute Float(string name, float value) => new() { Name = name, Kind = AttributeKind.Float, Floats = [value] };

    public static NodeAttribute Graphs(string name, TestModel graph) => new() { Name = name, Kind = AttributeKind.Graph, Graphs = [graph.Graph] };

    public static Tensor Floats(string name, TensorShape shape, ReadOnlySpan<float> values)
        => new(name, DType.F32, shape, new MemoryTensorData(MemoryMarshal.AsBytes(values).ToArray()));

    public static Tensor Longs(string name, TensorShape shape, params ReadOnlySpan<long> values)
        => new(name, DType.I64, shape, new MemoryTensorData(MemoryMarshal.AsBytes(values).ToArray()));

    public static NodeAttribute Floats(string name, params ImmutableArray<float> values) => new() { Name = name, Kind = AttributeKind.Floats, Floats = values };

    public static NodeAttribute Text(string name, string value) => new() { Name = name, Kind = AttributeKind.String, Strings = [[.. Encoding.UTF8.GetBytes(value)]] };

    private static IEnumerable<string> Names(string names) => names.Split(' ').Select(name => string.Equals(name, "_", StringComparison.Ordinal) ? "" : name);

    private static ValueInfo Value(string name, DType type, ReadOnlySpan<long> shape)
        => new() { Name = name, DType = type, Shape = [.. shape.ToArray().Select(size => new Dimension(size < 0 ? null : size, ""))] };
}
