using Condense.Engine.Structures;
using Condense.Models.Graph;
using Condense.Pipeline.Recipes;

namespace Condense.Pipeline.Stages;

/// <summary>One thing that may be done with a layer.</summary>
/// <param name="Method">The method, or <see cref="MethodNames.Keep"/>.</param>
/// <param name="Form">The structure's shape; null when the layer is kept.</param>
internal sealed record Candidate(string Method, StructureForm? Form)
{
    /// <summary>The layer as it is.</summary>
    public static Candidate Keep { get; } = new(MethodNames.Keep, Form: null);

    /// <summary>Bytes of the tensors that are stored.</summary>
    public long Bytes(Layer original) => Form is null ? original.StoredBytes : Form.StorageBits / 8;
}
