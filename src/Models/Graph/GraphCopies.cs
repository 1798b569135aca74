namespace Condense.Models.Graph;

/// <summary>Copies of a graph's parts for a program that is written anew. Tensors' bytes are shared with the original.</summary>
internal static class GraphCopies
{
    /// <summary>A node with all that it has. O(inputs + outputs + attributes), and what its subgraphs cost.</summary>
    /// <param name="node">The original.</param>
    /// <param name="subgraph">What a subgraph becomes.</param>
    public static Node Copy(this Node node, Func<ModelGraph, ModelGraph> subgraph)
    {
        var copy = new Node { Name = node.Name, OpType = node.OpType, Domain = node.Domain, Overload = node.Overload, DocString = node.DocString, Unknown = node.Unknown };
        copy.Inputs.AddRange(node.Inputs);
        copy.Outputs.AddRange(node.Outputs);
        copy.Attributes.AddRange(node.Attributes.Select(attribute => new NodeAttribute
        {
            Name = attribute.Name,
            Kind = attribute.Kind,
            DocString = attribute.DocString,
            Reference = attribute.Reference,
            Ints = attribute.Ints,
            Floats = attribute.Floats,
            Strings = attribute.Strings,
            Tensors = [.. attribute.Tensors.Select(Copy)],
            Graphs = [.. attribute.Graphs.Select(subgraph)],
            Unknown = attribute.Unknown,
        }));
        return copy;
    }

    /// <summary>An initializer.</summary>
    /// <param name="initializer">The original.</param>
    public static Initializer Copy(this Initializer initializer) => new(initializer.Tensor) { DocString = initializer.DocString, Unknown = initializer.Unknown };

    /// <summary>What is said of a value.</summary>
    /// <param name="value">The original.</param>
    public static ValueInfo Copy(this ValueInfo value) => new()
    {
        Name = value.Name,
        DType = value.DType,
        Shape = value.Shape,
        DocString = value.DocString,
        Encoded = value.Encoded,
        Unknown = value.Unknown,
    };
}
