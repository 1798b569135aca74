using System.Collections.Immutable;
using Condense.Models.Tensors;

namespace Condense.Models.Graph;

/// <summary>A constant tensor of a graph.</summary>
/// <param name="tensor">Name, type, shape and bytes.</param>
public sealed class Initializer(Tensor tensor)
{
    /// <summary>Name, type, shape and bytes.</summary>
    public Tensor Tensor { get; set; } = tensor;

    /// <summary>Text for people.</summary>
    public string DocString { get; set; } = "";

    /// <summary>Fields that are not known, encoded.</summary>
    public ImmutableArray<byte> Unknown { get; set; } = [];
}
