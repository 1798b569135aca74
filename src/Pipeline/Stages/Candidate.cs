using Condense.Engine.Structures;
using Condense.Models.Graph;
using Condense.Pipeline.Recipes;

namespace Condense.Pipeline.Stages;

/// <summary>One thing that may be done with a layer.</summary>
/// <param name="Method">The method, or <see cref="MethodNames.Keep"/>.</param>
/// <param name="Form">
/// The structure's shape; null when the layer is kept. With a grouping: blocks of rank 1 before the analysis, which puts others in their place; and after
/// refinement the compressed layer may have another, never larger one.
/// </param>
/// <param name="Grouping">How blocks of rows are grouped; null for all other methods.</param>
internal sealed record Candidate(string Method, StructureForm? Form, Grouping? Grouping = null)
{
    /// <summary>The layer as it is.</summary>
    public static Candidate Keep { get; } = new(MethodNames.Keep, Form: null);

    /// <summary>Bytes of the tensors that are stored.</summary>
    public long Bytes(Layer original) => Form is null ? original.StoredBytes : Form.StorageBits / 8;
}
