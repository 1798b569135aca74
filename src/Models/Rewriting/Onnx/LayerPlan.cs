using Condense.Models.Graph;
using Condense.Models.Tensors;

namespace Condense.Models.Rewriting.Onnx;

/// <summary>A layer on its way from the original graph to the rewritten one.</summary>
/// <param name="layer">The layer and its structure.</param>
internal sealed class LayerPlan(CompressedLayer layer)
{
    /// <summary>The place of a decoding that nothing needs.</summary>
    public const int Nowhere = -1;

    /// <summary>The layer and its structure.</summary>
    public CompressedLayer Compressed { get; } = layer;

    /// <summary>The layer.</summary>
    public Layer Layer => Compressed.Layer;

    /// <summary>The name by which nodes know the weight.</summary>
    public string ValueName { get; } = WeightSupport.ValueName(layer.Layer);

    /// <summary>Whether any node looks rows up, so that scales of rows are wanted as a column.</summary>
    public bool Gathered { get; set; }

    /// <summary>The first convolution or recurrent layer that takes factors, and the dimensions of the weight that it had; null without one.</summary>
    public (ConsumerKind Kind, TensorShape Weight)? Kernels { get; set; }

    /// <summary>
    /// Whether the codes must be decoded by simpler operators than <c>DequantizeLinear</c>. ONNX Runtime 1.30, at its default level, takes a product of two
    /// <c>DequantizeLinear</c> of constants for one of activations and fails on their zero points; and it ends the process where a
    /// <c>DequantizeLinear</c> of an axis meets a <c>Transpose</c> whose result has no stated shape.
    /// </summary>
    public bool DecodesSimply { get; set; }

    /// <summary>
    /// The number of the node, in the layer's own graph, in front of which the weight is decoded whole: the first that wants it itself or holds a
    /// subgraph that does. The number of nodes when only the graph's outputs want it; <see cref="Nowhere"/> when nothing does.
    /// </summary>
    public int DecodeAt { get; set; } = Nowhere;

    /// <summary>The constants; set when they have been added to the graph.</summary>
    public StoredWeight? Stored { get; set; }

    /// <summary>Whether the structure is the weight itself in its own type, so that no consumer sees a difference.</summary>
    public bool IsPlain => Compressed.Form is Engine.Structures.DenseForm dense && StructureTensors.TypeOf(dense.Format) == Layer.Tensor.DType;

    /// <summary>Whether a consumer of this kind is rewritten, instead of being given the decoded weight.</summary>
    /// <param name="kind">What the consumer does.</param>
    public bool Rewrites(ConsumerKind kind) => kind switch
    {
        ConsumerKind.Gather => !IsPlain,
        ConsumerKind.MatMul or ConsumerKind.Gemm => HasFactors,
        ConsumerKind.Conv or ConsumerKind.RecurrentInput => Compressed.Form is Engine.Structures.ProductForm,
        _ => false,
    };

    /// <summary>Whether the weight, or a block of its rows, is a product: such a weight is never put together.</summary>
    public bool HasFactors => WeightSupport.HasFactors(Compressed.Form);
}
