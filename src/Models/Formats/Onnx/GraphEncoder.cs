using System.Globalization;
using Condense.Models.Graph;
using Condense.Models.Tensors;

namespace Condense.Models.Formats.Onnx;

/// <summary>
/// Encodes a program as a ModelProto. A message is built from its end, so fields are added here in descending order; fields that are not known
/// come last in each message, as they stood.
/// </summary>
internal static class GraphEncoder
{
    /// <summary>Encodes a program. O(structure), however deep graphs are nested.</summary>
    /// <param name="program">The program.</param>
    /// <param name="layout">Which tensors lie elsewhere.</param>
    internal static MessageBuilder Encode(GraphProgram program, ExternalLayout layout)
    {
        // Inner graphs first: each is ready when the node that holds it is encoded.
        var bodies = program.Functions.Select(function => function.Body).ToHashSet<ModelGraph>(ReferenceEqualityComparer.Instance);
        var encoded = new Dictionary<ModelGraph, MessageBuilder>(ReferenceEqualityComparer.Instance);
        foreach (var graph in program.AllGraphs().Reverse())
        {
            if (!bodies.Contains(graph) && !encoded.ContainsKey(graph))
            {
                encoded.Add(graph, EncodeGraph(graph, encoded, layout));
            }
        }

        var message = new MessageBuilder();
        message.AddRaw(program.Unknown.AsSpan());
        foreach (var function in program.Functions.AsEnumerable().Reverse())
        {
            long mark = message.Length;
            AddFunction(message, function, encoded, layout);
            message.AddPrefix(ModelField.Functions, mark);
        }

        foreach (var (key, value) in program.Metadata.AsEnumerable().Reverse())
        {
            AddEntry(message, ModelField.Metadata, key, value);
        }

        AddOpsets(message, ModelField.OpsetImport, program.Opsets);
        message.AddMessage(ModelField.Graph, encoded[program.Main]);
        message.AddTextIfAny(ModelField.DocString, program.DocString);
        if (program.ModelVersion != 0)
        {
            message.AddInt64(ModelField.ModelVersion, program.ModelVersion);
        }

        message.AddTextIfAny(ModelField.Domain, program.Domain);
        message.AddTextIfAny(ModelField.ProducerVersion, program.ProducerVersion);
        message.AddTextIfAny(ModelField.ProducerName, program.ProducerName);
        message.AddInt64(ModelField.IrVersion, program.IrVersion);
        return message;
    }

    /// <summary>Adds a tensor, with its elements as raw data or a reference to the second file.</summary>
    /// <param name="message">The message that it belongs to.</param>
    /// <param name="field">The field's number there.</param>
    /// <param name="initializer">The tensor.</param>
    /// <param name="layout">Which tensors lie elsewhere.</param>
    internal static void AddTensor(MessageBuilder message, int field, Initializer initializer, ExternalLayout layout)
    {
        var tensor = initializer.Tensor;
        long mark = message.Length;
        message.AddRaw(initializer.Unknown.AsSpan());
        if (layout.OffsetOf(initializer) is { } offset)
        {
            message.AddInt64(TensorField.DataLocation, 1);
            AddEntry(message, TensorField.ExternalData, "length", tensor.Data.ByteLength.ToString(CultureInfo.InvariantCulture));
            AddEntry(message, TensorField.ExternalData, "offset", offset.ToString(CultureInfo.InvariantCulture));
            AddEntry(message, TensorField.ExternalData, "location", layout.Location);
            message.AddTextIfAny(TensorField.DocString, initializer.DocString);
        }
        else
        {
            message.AddTextIfAny(TensorField.DocString, initializer.DocString);
            if (tensor.DType != DType.String)
            {
                long dataMark = message.Length;
                message.AddData(tensor.Data);
                message.AddPrefix(TensorField.RawData, dataMark);
            }
        }

        message.AddTextIfAny(TensorField.Name, tensor.Name);
        if (tensor.DType == DType.String)
        {
            // The data of text is its encoded string_data fields.
            message.AddData(tensor.Data);
        }

        message.AddInt64(TensorField.DataType, OnnxDType.ToCode(tensor.DType));
        foreach (long dimension in tensor.Shape.Dimensions.Reverse())
        {
            message.AddInt64(TensorField.Dims, dimension);
        }

        message.AddPrefix(field, mark);
    }

    private static MessageBuilder EncodeGraph(ModelGraph graph, Dictionary<ModelGraph, MessageBuilder> encoded, ExternalLayout layout)
    {
        var message = new MessageBuilder();
        message.AddRaw(graph.Unknown.AsSpan());
        AddValues(message, GraphField.Values, graph.Values);
        AddValues(message, GraphField.Outputs, graph.Outputs);
        AddValues(message, GraphField.Inputs, graph.Inputs);
        message.AddTextIfAny(GraphField.DocString, graph.DocString);
        foreach (var initializer in graph.Initializers.AsEnumerable().Reverse())
        {
            AddTensor(message, GraphField.Initializers, initializer, layout);
        }

        message.AddTextIfAny(GraphField.Name, graph.Name);
        AddNodes(message, GraphField.Nodes, graph.Nodes, encoded, layout);
        return message;
    }

    private static void AddFunction(
        MessageBuilder message, GraphFunction function, Dictionary<ModelGraph, MessageBuilder> encoded, ExternalLayout layout)
    {
        message.AddRaw(function.Unknown.AsSpan());
        message.AddTextIfAny(FunctionField.Overload, function.Overload);
        AddValues(message, FunctionField.Values, function.Body.Values);
        message.AddTextIfAny(FunctionField.Domain, function.Domain);
        AddOpsets(message, FunctionField.OpsetImport, function.Opsets);
        message.AddTextIfAny(FunctionField.DocString, function.DocString);
        AddNodes(message, FunctionField.Nodes, function.Body.Nodes, encoded, layout);
        AddNames(message, FunctionField.Attributes, function.Attributes);
        AddNames(message, FunctionField.Outputs, function.Outputs);
        AddNames(message, FunctionField.Inputs, function.Inputs);
        message.AddTextIfAny(FunctionField.Name, function.Name);
    }

    private static void AddNodes(
        MessageBuilder message, int field, List<Node> nodes, Dictionary<ModelGraph, MessageBuilder> encoded, ExternalLayout layout)
    {
        foreach (var node in nodes.AsEnumerable().Reverse())
        {
            long mark = message.Length;
            message.AddRaw(node.Unknown.AsSpan());
            message.AddTextIfAny(NodeField.Overload, node.Overload);
            message.AddTextIfAny(NodeField.Domain, node.Domain);
            message.AddTextIfAny(NodeField.DocString, node.DocString);
            foreach (var attribute in node.Attributes.AsEnumerable().Reverse())
            {
                AddAttribute(message, attribute, encoded, layout);
            }

            message.AddText(NodeField.OpType, node.OpType);
            message.AddTextIfAny(NodeField.Name, node.Name);
            AddNames(message, NodeField.Outputs, node.Outputs);
            AddNames(message, NodeField.Inputs, node.Inputs);
            message.AddPrefix(field, mark);
        }
    }

    private static void AddAttribute(
        MessageBuilder message, NodeAttribute attribute, Dictionary<ModelGraph, MessageBuilder> encoded, ExternalLayout layout)
    {
        long mark = message.Length;
        message.AddRaw(attribute.Unknown.AsSpan());
        message.AddTextIfAny(AttributeField.Reference, attribute.Reference);
        if (attribute.Kind != AttributeKind.Undefined)
        {
            message.AddInt64(AttributeField.Kind, (int)attribute.Kind);
        }

        message.AddTextIfAny(AttributeField.DocString, attribute.DocString);
        foreach (var graph in attribute.Graphs.Reverse())
        {
            message.AddMessage(attribute.Kind == AttributeKind.Graph ? AttributeField.Graph : AttributeField.Graphs, encoded[graph]);
        }

        foreach (var tensor in attribute.Tensors.Reverse())
        {
            AddTensor(message, attribute.Kind == AttributeKind.Tensor ? AttributeField.Tensor : AttributeField.Tensors, tensor, layout);
        }

        foreach (var text in attribute.Strings.Reverse())
        {
            message.AddBytes(attribute.Kind == AttributeKind.String ? AttributeField.String : AttributeField.Strings, text.AsSpan());
        }

        foreach (long number in attribute.Ints.Reverse())
        {
            message.AddInt64(attribute.Kind == AttributeKind.Int ? AttributeField.Int : AttributeField.Ints, number);
        }

        foreach (float number in attribute.Floats.Reverse())
        {
            message.AddSingle(attribute.Kind == AttributeKind.Float ? AttributeField.Float : AttributeField.Floats, number);
        }

        message.AddText(AttributeField.Name, attribute.Name);
        message.AddPrefix(NodeField.Attributes, mark);
    }

    private static void AddValues(MessageBuilder message, int field, List<ValueInfo> values)
    {
        foreach (var value in values.AsEnumerable().Reverse())
        {
            long mark = message.Length;
            message.AddRaw(value.Unknown.AsSpan());
            message.AddTextIfAny(ValueField.DocString, value.DocString);
            AddType(message, value);
            message.AddText(ValueField.Name, value.Name);
            message.AddPrefix(field, mark);
        }
    }

    private static void AddType(MessageBuilder message, ValueInfo value)
    {
        if (OnnxTypes.Says(value.Encoded, value.DType, value.Shape))
        {
            if (!value.Encoded.IsEmpty)
            {
                message.AddBytes(ValueField.Type, value.Encoded.AsSpan());
            }

            return;
        }

        long mark = message.Length;
        OnnxTypes.Add(message, value.DType, value.Shape);
        message.AddPrefix(ValueField.Type, mark);
    }

    private static void AddOpsets(MessageBuilder message, int field, SortedDictionary<string, long> opsets)
    {
        foreach (var (domain, version) in opsets.Reverse())
        {
            long mark = message.Length;
            message.AddInt64(OpsetField.Version, version);
            message.AddText(OpsetField.Domain, domain);
            message.AddPrefix(field, mark);
        }
    }

    private static void AddEntry(MessageBuilder message, int field, string key, string value)
    {
        long mark = message.Length;
        message.AddText(EntryField.Value, value);
        message.AddText(EntryField.Key, key);
        message.AddPrefix(field, mark);
    }

    private static void AddNames(MessageBuilder message, int field, List<string> names)
    {
        foreach (string name in names.AsEnumerable().Reverse())
        {
            message.AddText(field, name);
        }
    }
}
