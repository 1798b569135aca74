using Condense.Models.Graph;
using Condense.Models.Tensors;

namespace Condense.Models.Rewriting.Onnx;

/// <summary>Attributes of nodes: made, and read with their defaults.</summary>
internal static class Attributes
{
    /// <summary>An integer.</summary>
    /// <param name="name">The attribute's name.</param>
    /// <param name="value">Its value.</param>
    public static NodeAttribute Int(string name, long value) => new() { Name = name, Kind = AttributeKind.Int, Ints = [value] };

    /// <summary>Integers.</summary>
    /// <param name="name">The attribute's name.</param>
    /// <param name="values">Its values.</param>
    public static NodeAttribute Ints(string name, params ReadOnlySpan<long> values) => new() { Name = name, Kind = AttributeKind.Ints, Ints = [.. values] };

    /// <summary>An integer of a node; null when it is given by the caller of the function that the node stands in, and so not known.</summary>
    /// <param name="node">The node.</param>
    /// <param name="name">The attribute's name.</param>
    /// <param name="absent">What it is when the node does not state it.</param>
    public static long? Int(Node node, string name, long absent)
        => node.Attribute(name) is not { } attribute ? absent : attribute.Reference.Length == 0 && attribute.Ints.Length == 1 ? attribute.Ints[0] : null;

    /// <summary>ONNX's number of a type that weights, codes and numbers of rows are cast to.</summary>
    /// <param name="type">The type.</param>
    public static long Number(DType type) => type switch
    {
        DType.F32 => 1,
        DType.I8 => 3,
        DType.I32 => 6,
        DType.I64 => 7,
        DType.F16 => 10,
        DType.F64 => 11,
        DType.BF16 => 16,
        _ => throw new ArgumentException($"Nothing is cast to {type}.", nameof(type)),
    };
}
