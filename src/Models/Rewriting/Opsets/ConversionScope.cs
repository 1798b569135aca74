using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text;
using Condense.Models.Graph;
using Condense.Models.Rewriting.Onnx;
using Condense.Models.Tensors;

namespace Condense.Models.Rewriting.Opsets;

/// <summary>What a conversion of a node may know and do: look up types and constants, read settings, add constants and nodes.</summary>
/// <param name="source">The graph as it was.</param>
/// <param name="target">The graph that is made.</param>
/// <param name="opset">The opset to reach in the end.</param>
/// <param name="names">Names that are free in the whole program.</param>
/// <param name="known">What is known of the program's values.</param>
/// <param name="used">Every name that anything in the program reads.</param>
internal sealed class ConversionScope(
    ModelGraph source, ModelGraph target, long opset, UniqueNames names, KnownValues known, IReadOnlySet<string> used)
{
    // Constants are nodes: they may stand in functions too, and are no inputs of old files. Their types are as old as the format itself.
    private readonly GraphEmitter _constants = new(target, opset, irVersion: 3, names, ConstantPlace.Node);
    private List<Node> _nodes = [];
    private Node? _node;
    private long _version;

    /// <summary>The graph that is made.</summary>
    public ModelGraph Target => target;

    /// <summary>The opset to reach in the end.</summary>
    public long Opset => opset;

    /// <summary>Names of outputs that there are no more.</summary>
    public HashSet<string> Dropped { get; } = new(StringComparer.Ordinal);

    /// <summary>Runs a conversion.</summary>
    /// <param name="convert">The conversion.</param>
    /// <param name="node">The node, a copy that may be changed.</param>
    /// <param name="version">The version to convert to.</param>
    /// <returns>The nodes in its place, of that version.</returns>
    public IReadOnlyList<Node> Convert(Action<Node, ConversionScope> convert, Node node, long version)
    {
        (_nodes, _node, _version) = ([], node, version);
        convert(node, this);
        return _nodes;
    }

    /// <summary>Adds a node in the place of the converted one.</summary>
    /// <param name="node">The node.</param>
    public void Add(Node node) => _nodes.Add(node);

    /// <summary>Adds a standard operator with one new output.</summary>
    /// <param name="opType">The operator.</param>
    /// <param name="inputs">Its inputs.</param>
    /// <param name="attributes">Its settings.</param>
    /// <returns>The output's name.</returns>
    public string Add(string opType, string[] inputs, params ReadOnlySpan<NodeAttribute> attributes)
    {
        string output = NewName(opType);
        Add(opType, inputs, output, attributes);
        return output;
    }

    /// <summary>Adds a standard operator whose output has its name already.</summary>
    /// <param name="opType">The operator.</param>
    /// <param name="inputs">Its inputs.</param>
    /// <param name="output">Its output.</param>
    /// <param name="attributes">Its settings.</param>
    public void Add(string opType, string[] inputs, string output, params ReadOnlySpan<NodeAttribute> attributes)
    {
        var node = new Node { Name = NewName(opType), OpType = opType };
        node.Inputs.AddRange(inputs);
        node.Outputs.Add(output);
        node.Attributes.AddRange(attributes);
        Add(node);
    }

    /// <summary>A name that nothing in the program has, beginning with that of the node.</summary>
    /// <param name="suffix">What it ends with.</param>
    public string NewName(string suffix)
    {
        string name = _node!.Name.Length > 0 ? _node.Name : _node.Outputs.Find(output => output.Length > 0) ?? _node.OpType;
        return names.New($"{name}.{suffix}");
    }

    /// <summary>Whole numbers as a constant of one dimension.</summary>
    /// <param name="values">The numbers.</param>
    public string Vector(ImmutableArray<long> values) => _constants.Shared($"vector {string.Join(' ', values)}", () => Constant(
        values.Length == 0 ? "none" : $"numbers.{string.Join('.', values)}", DType.I64, new TensorShape(values.Length), MemoryMarshal.AsBytes(values.AsSpan()).ToArray()));

    /// <summary>A whole number as a constant without dimensions.</summary>
    /// <param name="value">The number.</param>
    public string Scalar(long value) => _constants.Number(value);

    /// <summary>Numbers as a constant of one dimension, of 32 bits.</summary>
    /// <param name="values">The numbers.</param>
    public string Vector(ImmutableArray<float> values) => _constants.Shared($"floats {string.Join(' ', values.Select(BitConverter.SingleToUInt32Bits))}", () => Constant(
        "floats", DType.F32, new TensorShape(values.Length), MemoryMarshal.AsBytes(values.AsSpan()).ToArray()));

    /// <summary>A number as a constant without dimensions.</summary>
    /// <param name="value">The number.</param>
    /// <param name="type">Its type.</param>
    public string Scalar(float value, DType type)
    {
        byte[] bytes = type switch
        {
            DType.F32 => BitConverter.GetBytes(value),
            DType.F64 => BitConverter.GetBytes((double)value),
            DType.F16 => BitConverter.GetBytes((Half)value),
            _ => throw Refuse($"its input is of {type}, which opset {_version - 1} does not allow"),
        };
        return _constants.Shared($"number {type} {BitConverter.SingleToUInt32Bits(value)}", () => Constant("number", type, new TensorShape(), bytes));
    }

    /// <summary>The type of a value.</summary>
    /// <param name="name">The value.</param>
    /// <exception cref="ModelFormatException">The model does not tell.</exception>
    public DType TypeOf(string name) =>
        known.Find(source, name).Type ?? throw Refuse($"the type of '{name}' is not known; run shape inference on the model first");

    /// <summary>How many dimensions a value has; null when the model does not tell.</summary>
    /// <param name="name">The value.</param>
    public int? RankOf(string name) => known.Find(source, name).Rank;

    /// <summary>The constant of that name; null when the value is computed, or a caller's.</summary>
    /// <param name="name">The value.</param>
    public Tensor? ConstantOf(string name) => known.Find(source, name).Constant;

    /// <summary>Whole numbers of a setting; null when the node does not state it.</summary>
    /// <param name="node">The node.</param>
    /// <param name="name">The setting.</param>
    public ImmutableArray<long>? Ints(Node node, string name) => Known(node, name)?.Ints;

    /// <summary>A whole number of a setting.</summary>
    /// <param name="node">The node.</param>
    /// <param name="name">The setting.</param>
    /// <param name="absent">What it is when the node does not state it.</param>
    public long Int(Node node, string name, long absent) => Known(node, name) is { Ints: [var value, ..] } ? value : absent;

    /// <summary>A text of a setting.</summary>
    /// <param name="node">The node.</param>
    /// <param name="name">The setting.</param>
    /// <param name="absent">What it is when the node does not state it.</param>
    public string Text(Node node, string name, string absent) => Known(node, name) is { Strings: [var text, ..] } ? Encoding.UTF8.GetString(text.AsSpan()) : absent;

    /// <summary>Numbers of a setting; null when the node does not state it.</summary>
    /// <param name="node">The node.</param>
    /// <param name="name">The setting.</param>
    public ImmutableArray<float>? Floats(Node node, string name) => Known(node, name)?.Floats;

    /// <summary>Takes an output away that nothing reads.</summary>
    /// <param name="node">The node.</param>
    /// <param name="output">The number of the output.</param>
    /// <returns>False when something reads it.</returns>
    public bool TryDrop(Node node, int output)
    {
        string name = node.Outputs[output];
        if (used.Contains(name))
        {
            return false;
        }

        Dropped.Add(name);
        node.Outputs.RemoveAt(output);
        return true;
    }

    /// <summary>The error that says why the node at hand can't be converted.</summary>
    /// <param name="reason">Why, within a sentence.</param>
    public ModelFormatException Refuse(string reason) => Refuse(_node!, _version - 1, _version, reason);

    /// <summary>The error that says why a node can't be converted.</summary>
    /// <param name="node">The node.</param>
    /// <param name="from">The opset that it is of.</param>
    /// <param name="to">The opset in which it has no form.</param>
    /// <param name="reason">Why, within a sentence.</param>
    public static ModelFormatException Refuse(Node node, long from, long to, string reason) => new(
        ModelFormatError.UnsupportedOperator,
        $"Node '{(node.Name.Length > 0 ? node.Name : node.Outputs.FirstOrDefault(""))}' ({node.OpType}) can't be converted from opset {from} to {to}: {reason}. Ask for opset {from} or lower, or keep the model's.");

    private NodeAttribute? Known(Node node, string name) => node.Attribute(name) switch
    {
        { Reference.Length: > 0 } => throw Refuse($"its setting '{name}' is given by the caller of the function that it stands in"),
        var attribute => attribute,
    };

    private string Constant(string wanted, DType type, TensorShape shape, byte[] bytes)
    {
        string name = names.New(wanted);
        var tensor = new Tensor(name, type, shape, new MemoryTensorData(bytes));
        _constants.AddConstant(tensor);
        known.Add(source, tensor);
        return name;
    }
}
