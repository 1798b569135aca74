using Condense.Engine.Structures;
using Condense.Models.Graph;
using Condense.Models.Rewriting.Onnx;

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
    /// <exception cref="ModelFormatException">The model has metadata of an earlier compression that can't be read.</exception>
    public static Model Rewrite(Model model, IReadOnlyList<CompressedLayer> layers)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(layers);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (layer, form, _, _) in layers)
        {
            if (!seen.Add(layer.Name))
            {
                throw new ArgumentException($"Layer '{layer.Name}' is named twice.", nameof(layers));
            }

            if (form.Rows != layer.Rows || form.Columns != layer.Columns)
            {
                throw new ArgumentException($"A structure of {form.Rows}×{form.Columns} can't stand for layer '{layer.Name}' of {layer.Rows}×{layer.Columns}.", nameof(layers));
            }

            if (!Supports(model, layer, form))
            {
                throw new ArgumentException($"A structure of form {form.GetType().Name} can't take the place of layer '{layer.Name}' in every use that it has.", nameof(layers));
            }
        }

        return model.Program is null ? SafetensorsRewriter.Rewrite(model, layers) : OnnxRewriter.Rewrite(model, layers);
    }

    /// <summary>
    /// Whether a structure of this form can take the layer's place in every use that the layer has. A product of factors can where the weight is
    /// gathered from or multiplied (<c>Gather</c>, <c>MatMul</c>, <c>Gemm</c>) and nowhere else; all other forms are decoded in front of any operator.
    /// A partition of rows holds no partition; in a graph, it can't be gathered from before opset 9 or where the layer is transposed, and with factors
    /// among its blocks it can only be gathered from, or multiplied so that its rows become entries of the result. O(uses).
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="form">The structure's shape.</param>
    public static bool Supports(Model model, Layer layer, StructureForm form)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(layer);
        ArgumentNullException.ThrowIfNull(form);
        return form.Rows == layer.Rows
            && form.Columns == layer.Columns
            && Nests(form)
            && (model.Program is null || WeightSupport.Supports(model.Program, layer, form));
    }

    // The deepest structures are blocks of rows that are factors of codes.
    private static bool Nests(StructureForm form) => form switch
    {
        ProductForm product => product.Left is DenseForm or QuantizedForm && product.Right is DenseForm or QuantizedForm,
        RowPartitionForm partition => partition.Blocks.All(block => block is not RowPartitionForm && Nests(block)),
        _ => true,
    };

    /// <summary>
    /// The structured layers of a model that this service made, from its metadata; empty for any other. Each with the layer that it stands for and
    /// its tensors in the file, ready for <see cref="StructureTensors.Read"/>.
    /// </summary>
    /// <param name="model">Any model.</param>
    /// <exception cref="ModelFormatException">The metadata and the tensors contradict each other.</exception>
    public static IReadOnlyList<StructuredLayer> FindStructured(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return StructureReader.Find(model);
    }

    /// <summary>
    /// The dense form of a compressed model: the original, with the weights that the compressed one computes with. Names, shapes, operators and whatever was
    /// not compressed are the original's; a compressed layer has the type that it had, 64-bit floats become 32-bit ones. The format is the compressed model's, and
    /// so is the opset. Neither model is changed, and both must stay open while the result is used. O(nodes + tensors); weights are decoded one by one
    /// when the result is written.
    /// </summary>
    /// <param name="original">The model that was compressed.</param>
    /// <param name="compressed">What came of it.</param>
    /// <exception cref="ModelFormatException">The compressed model's metadata is broken, or speaks of layers that the original does not have.</exception>
    public static Model Expand(Model original, Model compressed)
    {
        ArgumentNullException.ThrowIfNull(original);
        ArgumentNullException.ThrowIfNull(compressed);
        return DenseExpansion.Expand(original, compressed);
    }
}
