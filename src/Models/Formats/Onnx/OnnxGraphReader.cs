using Condense.Models.Graph;

namespace Condense.Models.Formats.Onnx;

/// <summary>
/// Reads GraphProto messages. A subgraph met on the way is put off and read when the graph around it is done, so that no nesting in a file
/// deepens the stack.
/// </summary>
internal sealed class OnnxGraphReader
{
    // A name in a list, and the room that a growing list keeps free.
    private const int ListItemBytes = 48;

    private readonly WireReader _reader;
    private readonly OnnxGraphReader _kept;
    private readonly ReadBudget _budget;
    private readonly OnnxTensorReader _tensors;
    private readonly SparseTensorReader _sparse;
    private readonly AttributeReader _attributes;
    private readonly Queue<(ModelGraph Graph, FileRange Range, int Depth)> _pending = new();
    private ModelGraph? _current;

    /// <summary>Takes what reads the smaller messages.</summary>
    /// <param name="reader">The file's reader.</param>
    /// <param name="tensors">Reads tensors.</param>
    /// <param name="budget">The limits.</param>
    /// <param name="kept">Checks what is kept as bytes; null when this is that one.</param>
    internal OnnxGraphReader(WireReader reader, OnnxTensorReader tensors, ReadBudget budget, OnnxGraphReader? kept)
    {
        _reader = reader;
        _kept = kept ?? this;
        _budget = budget;
        _tensors = tensors;
        _sparse = new(reader, tensors, budget);
        _attributes = new(reader, tensors, _sparse, budget, PutOff);
    }

    /// <summary>Reads the graph of the last field and all within it.</summary>
    internal ModelGraph Read()
    {
        _current = null;
        var graph = PutOff(_reader.ReadRange(), _reader.Depth + 1);
        ReadPending();
        return graph;
    }

    /// <summary>Reads the nodes of the last field's function and all within it.</summary>
    internal GraphFunction ReadFunction()
    {
        _budget.Item("functions", _reader.FieldStart);
        var body = new ModelGraph();
        var function = new GraphFunction { Name = "", Body = body };
        var names = new GraphNames();
        var unknown = new UnknownFields();
        _current = body;
        long outer = _reader.Enter();
        while (_reader.TryReadTag())
        {
            ReadFunctionField(function, names, unknown);
        }

        _reader.Leave(outer);
        function.Unknown = unknown.ToImmutable();
        ReadPending();
        return function;
    }

    /// <summary>Reads the attribute of the last field and all within it.</summary>
    internal NodeAttribute ReadAttribute()
    {
        _current = null;
        var attribute = _attributes.Read();
        ReadPending();
        return attribute;
    }

    private void ReadFunctionField(GraphFunction function, GraphNames names, UnknownFields unknown)
    {
        switch (_reader.Field)
        {
            case FunctionField.Name:
                function.Name = _reader.ReadName();
                break;
            case FunctionField.Domain:
                function.Domain = _reader.ReadName();
                break;
            case FunctionField.Overload:
                function.Overload = _reader.ReadName();
                break;
            case FunctionField.DocString:
                function.DocString = _reader.ReadText();
                break;
            case FunctionField.Inputs:
                string input = ReadListedName();
                names.AddInput(input, _reader.FieldStart);
                function.Inputs.Add(input);
                break;
            case FunctionField.Outputs:
                function.Outputs.Add(ReadListedName());
                break;
            case FunctionField.Attributes:
                function.Attributes.Add(ReadListedName());
                break;
            case FunctionField.Nodes:
                function.Body.Nodes.Add(ReadNode(names));
                break;
            case FunctionField.OpsetImport:
                OpsetReader.Read(_reader, _budget, function.Opsets);
                break;
            case FunctionField.Values:
                function.Body.Values.Add(ReadValue());
                break;
            case FunctionField.AttributeDefaults:
                long start = _reader.FieldStart;
                _kept.ReadAttribute();
                unknown.Add(_reader.Copy(new(start, _reader.Position - start)));
                break;
            default:
                unknown.Keep(_reader);
                break;
        }
    }

    private ModelGraph PutOff(FileRange range, int depth)
    {
        _budget.Item("graphs", range.Start);
        var graph = new ModelGraph { Parent = _current };
        _pending.Enqueue((graph, range, depth));
        return graph;
    }

    private void ReadPending()
    {
        var mark = _reader.Mark();
        while (_pending.TryDequeue(out var next))
        {
            _reader.EnterRange(next.Range, next.Depth);
            _current = next.Graph;
            ReadGraph(next.Graph);
        }

        _reader.Return(mark);
    }

    private void ReadGraph(ModelGraph graph)
    {
        var names = new GraphNames();
        var unknown = new UnknownFields();
        while (_reader.TryReadTag())
        {
            ReadGraphField(graph, names, unknown);
        }

        graph.Unknown = unknown.ToImmutable();
    }

    private void ReadGraphField(ModelGraph graph, GraphNames names, UnknownFields unknown)
    {
        long start = _reader.FieldStart;
        switch (_reader.Field)
        {
            case GraphField.Name:
                graph.Name = _reader.ReadName();
                break;
            case GraphField.DocString:
                graph.DocString = _reader.ReadText();
                break;
            case GraphField.Nodes:
                graph.Nodes.Add(ReadNode(names));
                break;
            case GraphField.Initializers:
                var initializer = _tensors.Read();
                names.AddInitializer(initializer.Tensor.Name, start);
                graph.Initializers.Add(initializer);
                break;
            case GraphField.SparseInitializers:
                unknown.Add(_sparse.Read(out string name));
                names.AddInitializer(name, start);
                break;
            case GraphField.Inputs:
                var input = ReadValue();
                names.AddInput(input.Name, start);
                graph.Inputs.Add(input);
                break;
            case GraphField.Outputs:
                graph.Outputs.Add(ReadValue());
                break;
            case GraphField.Values:
                graph.Values.Add(ReadValue());
                break;
            default:
                unknown.Keep(_reader);
                break;
        }
    }

    private Node ReadNode(GraphNames names)
    {
        _budget.Item("nodes", _reader.FieldStart);
        var node = new Node { OpType = "" };
        var unknown = new UnknownFields();
        HashSet<string>? attributes = null;
        long outer = _reader.Enter();
        while (_reader.TryReadTag())
        {
            if (_reader.Field == NodeField.Attributes)
            {
                attributes ??= new(StringComparer.Ordinal);
                node.Attributes.Add(ReadAttribute(attributes));
            }
            else
            {
                ReadNodeField(node, names, unknown);
            }
        }

        _reader.Leave(outer);
        node.Unknown = unknown.ToImmutable();
        return node;
    }

    private void ReadNodeField(Node node, GraphNames names, UnknownFields unknown)
    {
        long start = _reader.FieldStart;
        switch (_reader.Field)
        {
            case NodeField.Inputs:
                node.Inputs.Add(ReadListedName());
                break;
            case NodeField.Outputs:
                string output = ReadListedName();
                names.AddProduced(output, start);
                node.Outputs.Add(output);
                break;
            case NodeField.Name:
                node.Name = _reader.ReadName();
                break;
            case NodeField.OpType:
                node.OpType = _reader.ReadName();
                break;
            case NodeField.Domain:
                node.Domain = _reader.ReadName();
                break;
            case NodeField.Overload:
                node.Overload = _reader.ReadName();
                break;
            case NodeField.DocString:
                node.DocString = _reader.ReadText();
                break;
            default:
                unknown.Keep(_reader);
                break;
        }
    }

    private NodeAttribute ReadAttribute(HashSet<string> names)
    {
        long start = _reader.FieldStart;
        var attribute = _attributes.Read();
        return names.Add(attribute.Name)
            ? attribute
            : throw new ModelFormatException(ModelFormatError.DuplicateName, $"A node has two attributes named '{attribute.Name}'.", start);
    }

    private ValueInfo ReadValue()
    {
        _budget.Item("values", _reader.FieldStart);
        var value = new ValueInfo { Name = "" };
        var unknown = new UnknownFields();
        long outer = _reader.Enter();
        while (_reader.TryReadTag())
        {
            switch (_reader.Field)
            {
                case ValueField.Name:
                    value.Name = _reader.ReadName();
                    break;
                case ValueField.DocString:
                    value.DocString = _reader.ReadText();
                    break;
                case ValueField.Type:
                    long valueEnd = _reader.Enter();
                    long start = _reader.Position;
                    (value.DType, value.Shape) = OnnxTypes.Read(_reader, _budget);
                    _reader.Leave(valueEnd);
                    value.Encoded = [.. _reader.Copy(new(start, _reader.Position - start))];
                    break;
                default:
                    unknown.Keep(_reader);
                    break;
            }
        }

        _reader.Leave(outer);
        value.Unknown = unknown.ToImmutable();
        return value;
    }

    private string ReadListedName()
    {
        _budget.Keep(ListItemBytes, _reader.FieldStart);
        return _reader.ReadName();
    }
}
