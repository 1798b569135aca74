using System.Collections.Immutable;

namespace Condense.Models.Graph;

/// <summary>A setting of a node: one value or a list, of the kind that <see cref="Kind"/> says.</summary>
public sealed class NodeAttribute
{
    /// <summary>Its name.</summary>
    public required string Name { get; set; }

    /// <summary>Which of the values below counts.</summary>
    public required AttributeKind Kind { get; set; }

    /// <summary>Text for people.</summary>
    public string DocString { get; set; } = "";

    /// <summary>In a function's body: the function's attribute that gives the value; else empty.</summary>
    public string Reference { get; set; } = "";

    /// <summary>The integers: one for <see cref="AttributeKind.Int"/>.</summary>
    public ImmutableArray<long> Ints { get; set; } = [];

    /// <summary>The numbers: one for <see cref="AttributeKind.Float"/>.</summary>
    public ImmutableArray<float> Floats { get; set; } = [];

    /// <summary>The texts, as bytes: one for <see cref="AttributeKind.String"/>.</summary>
    public ImmutableArray<ImmutableArray<byte>> Strings { get; set; } = [];

    /// <summary>The tensors, with whatever else their messages hold: one for <see cref="AttributeKind.Tensor"/>.</summary>
    public ImmutableArray<Initializer> Tensors { get; set; } = [];

    /// <summary>The subgraphs: one for <see cref="AttributeKind.Graph"/>.</summary>
    public ImmutableArray<ModelGraph> Graphs { get; set; } = [];

    /// <summary>Fields that are not known or not interpreted (sparse tensors, type protos), encoded.</summary>
    public ImmutableArray<byte> Unknown { get; set; } = [];
}
