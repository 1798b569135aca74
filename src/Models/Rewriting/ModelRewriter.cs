namespace Condense.Models.Rewriting;

/// <summary>Puts structures in the place of weights.</summary>
public static class ModelRewriter
{
    /// <summary>
    /// Makes the model whose layers are structures: for safetensors, the layer's tensor is replaced by the structure's; for ONNX, each consumer is
    /// rewritten with operators of the model's own opset. What is not named stays as it is. The original is not changed and must stay open while the
    /// result is used. O(nodes + tensors); reads no weight.
    /// </summary>
    /// <param name="model">The original.</param>
    /// <param name="layers">The layers to replace.</param>
    /// <exception cref="ArgumentException">A structure does not fit its layer, or <see cref="Supports"/> denies it.</exception>
    public static Model Rewrite(Model model, IReadOnlyList<CompressedLayer> layers) => throw new NotSupportedException();

    /// <summary>Whether a structure of this form can take the layer's place in every use that the layer has.</summary>
    /// <param name="model">The model.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="form">The structure's shape.</param>
    public static bool Supports(Model model, Graph.Layer layer, Engine.Structures.StructureForm form) => throw new NotSupportedException();

    /// <summary>
    /// The structured layers of a model that this service made, from its metadata; empty for any other. Each with the layer that it stands for and
    /// its tensors in the file, ready for <see cref="StructureTensors.Read"/>.
    /// </summary>
    /// <param name="model">Any model.</param>
    /// <exception cref="ModelFormatException">The metadata and the tensors contradict each other.</exception>
    public static IReadOnlyList<StructuredLayer> FindStructured(Model model) => throw new NotSupportedException();
}
