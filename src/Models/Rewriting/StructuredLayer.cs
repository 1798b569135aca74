using System.Collections.Immutable;
using Condense.Engine.Structures;
using Condense.Models.Tensors;

namespace Condense.Models.Rewriting;

/// <summary>A layer of a compressed model.</summary>
/// <param name="Name">The name that it had in the original.</param>
/// <param name="DType">The type that its elements had.</param>
/// <param name="Shape">The dimensions that its tensor had.</param>
/// <param name="Transposed">Whether the original stored Wᵀ.</param>
/// <param name="Form">The structure's shape, out×in.</param>
/// <param name="Method">The method that made it.</param>
/// <param name="Data">The bytes of each suffix, in the structure's own orientation.</param>
public sealed record StructuredLayer(
    string Name, DType DType, TensorShape Shape, bool Transposed, StructureForm Form, string Method, Func<string, TensorData> Data)
{
    /// <summary>The names that its tensors have in the file, in the order of the form's slots: mostly, not always, <c>Name + suffix</c>.</summary>
    public ImmutableArray<string> TensorNames { get; init; } = [];
}
