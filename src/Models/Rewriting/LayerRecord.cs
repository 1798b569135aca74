using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Condense.Engine.Structures;
using Condense.Models.Tensors;

namespace Condense.Models.Rewriting;

/// <summary>What a file's metadata says of one structured layer.</summary>
/// <param name="Name">The name that the layer had in the original.</param>
/// <param name="DType">The type that its elements had.</param>
/// <param name="Shape">The dimensions that its tensor had.</param>
/// <param name="Transposed">Whether the original stored Wᵀ.</param>
/// <param name="Method">The method that made the structure.</param>
/// <param name="Form">The structure's shape, out×in.</param>
/// <param name="Tensors">Names of tensors by suffix, where they are not <c>Name + suffix</c>; null when all are.</param>
internal sealed record LayerRecord(
    string Name,
    [property: JsonPropertyName("dtype")] DType DType,
    ImmutableArray<long> Shape,
    bool Transposed,
    string Method,
    StructureForm Form,
    SortedDictionary<string, string>? Tensors = null)
{
    /// <summary>The name under which the file has the tensor of a suffix.</summary>
    /// <param name="suffix">A suffix of the form's slots.</param>
    public string TensorName(string suffix) => Tensors?.GetValueOrDefault(suffix) ?? Name + suffix;

    /// <summary>Says what a layer has become.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="names">The names of its tensors by suffix.</param>
    public static LayerRecord Of(CompressedLayer layer, IReadOnlyDictionary<string, string> names)
    {
        var original = layer.Layer;
        var other = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (suffix, name) in names)
        {
            if (!string.Equals(name, original.Name + suffix, StringComparison.Ordinal))
            {
                other.Add(suffix, name);
            }
        }

        return new LayerRecord(
            original.Name,
            original.Tensor.DType,
            original.Tensor.Shape.Dimensions,
            original.Transposed,
            layer.Method,
            layer.Form,
            other.Count == 0 ? null : other);
    }
}
