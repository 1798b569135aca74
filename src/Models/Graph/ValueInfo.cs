using System.Collections.Immutable;
using Condense.Models.Tensors;

namespace Condense.Models.Graph;

/// <summary>Name, type and shape of a value.</summary>
public sealed class ValueInfo
{
    /// <summary>Its name.</summary>
    public required string Name { get; set; }

    /// <summary>The type of its elements; null for a sequence, a map, or when the file says nothing.</summary>
    public DType? DType { get; set; }

    /// <summary>Its dimensions; default when the file states no shape.</summary>
    public ImmutableArray<Dimension> Shape { get; set; }

    /// <summary>Text for people.</summary>
    public string DocString { get; set; } = "";

    /// <summary>The whole type as the file has it, encoded; what is written again while <see cref="DType"/> and <see cref="Shape"/> are not changed.</summary>
    public ImmutableArray<byte> Encoded { get; set; } = [];

    /// <summary>Fields that are not known, encoded.</summary>
    public ImmutableArray<byte> Unknown { get; set; } = [];
}
