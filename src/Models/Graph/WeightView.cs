using Condense.Models.Tensors;

namespace Condense.Models.Graph;

/// <summary>How a consumer sees a weight.</summary>
/// <param name="Role">What it does there.</param>
/// <param name="Rows">Rows of W, out×in.</param>
/// <param name="Columns">Columns of W.</param>
/// <param name="Transposed">Whether the file stores Wᵀ.</param>
internal readonly record struct WeightView(WeightRole Role, int Rows, int Columns, bool Transposed)
{
    /// <summary>Of a weight of which nothing is known: its first dimension by the rest.</summary>
    internal static WeightView Of(WeightRole role, TensorShape shape) => Fold(role, shape, leading: 1);

    /// <summary>Of a weight that goes into a node, itself or behind other nodes.</summary>
    /// <param name="node">The node.</param>
    /// <param name="input">The number of the input.</param>
    /// <param name="place">What goes in.</param>
    /// <param name="stored">The weight's own shape.</param>
    internal static WeightView Of(Node node, int input, WeightPlace place, TensorShape stored)
    {
        var view = Of(node, input, place.Shape);
        if (!place.Flipped)
        {
            return view.Role == WeightRole.Other ? Of(view.Role, stored) : view;
        }

        // The node sees the matrix M, W or Wᵀ, and the file stores Mᵀ.
        int rows = view.Transposed ? view.Columns : view.Rows;
        return view.Role != WeightRole.Other && rows == place.Shape.ElementCount / place.SplitRows
            ? view with { Transposed = !view.Transposed }
            : Of(WeightRole.Other, stored);
    }

    private static WeightView Of(Node node, int input, TensorShape shape)
    {
        bool standard = node.Domain is "" or "ai.onnx";
        if (!standard && !string.Equals(node.Domain, "com.microsoft", StringComparison.Ordinal))
        {
            return Of(WeightRole.Other, shape);
        }

        return (node.OpType, input) switch
        {
            ("Gather", 0) when shape.Rank >= 2 && IsAxisZero(node, shape.Rank) => Of(WeightRole.Embedding, shape),
            ("EmbedLayerNormalization", 2 or 3 or 4) when shape.Rank >= 2 => Of(WeightRole.Embedding, shape),
            ("MatMul" or "FusedMatMul" or "TransposeMatMul" or "GemmFastGelu", 0 or 1) => OfProduct(node, input, shape),
            ("Gemm" or "FusedGemm", 0 or 1) => OfProduct(node, input, shape),
            ("Attention" or "PackedAttention", 1) when !standard && shape.Rank == 2 =>
                OfMatrix(WeightRole.Attention, shape, transposed: true),
            ("Conv" or "ConvTranspose" or "DeformConv" or "FusedConv" or "NhwcConv", 1) when shape.Rank >= 2 => Of(WeightRole.Conv, shape),
            ("LSTM", 1) => OfRecurrent(WeightRole.LstmInput, shape),
            ("LSTM", 2) => OfRecurrent(WeightRole.LstmRecurrent, shape),
            ("GRU", 1) => OfRecurrent(WeightRole.GruInput, shape),
            ("GRU", 2) => OfRecurrent(WeightRole.GruRecurrent, shape),
            ("RNN", 1) => OfRecurrent(WeightRole.RnnInput, shape),
            ("RNN", 2) => OfRecurrent(WeightRole.RnnRecurrent, shape),
            _ => Of(WeightRole.Other, shape),
        };
    }

    private static WeightView OfProduct(Node node, int input, TensorShape shape)
    {
        if (shape.Rank < 2)
        {
            return Of(WeightRole.Other, shape);
        }

        if (shape.ElementCount != shape.Dimensions[^2] * shape.Dimensions[^1])
        {
            return Fold(WeightRole.Linear, shape, leading: shape.Rank - 1);
        }

        // On the right of a product a weight stands in×out, on the left out×in; the node's own switch turns it round.
        bool turned = node.Attribute(input == 1 ? "transB" : "transA") is { Ints: [not 0] };
        return OfMatrix(WeightRole.Linear, new TensorShape(shape.Dimensions[^2], shape.Dimensions[^1]), transposed: (input == 1) ^ turned);
    }

    private static WeightView OfMatrix(WeightRole role, TensorShape shape, bool transposed) =>
        transposed ? new(role, (int)shape[1], (int)shape[0], Transposed: true) : Of(role, shape);

    private static WeightView OfRecurrent(WeightRole role, TensorShape shape) =>
        shape.Rank == 3 ? Fold(role, shape, leading: 2) : Of(WeightRole.Other, shape);

    private static WeightView Fold(WeightRole role, TensorShape shape, int leading)
    {
        long rows = 1;
        foreach (long dimension in shape.Dimensions.AsSpan()[..Math.Min(leading, shape.Rank)])
        {
            rows *= dimension;
        }

        return new(role, (int)rows, (int)(shape.ElementCount / rows), Transposed: false);
    }

    private static bool IsAxisZero(Node node, int rank) => node.Attribute("axis") is not { Ints: [var axis] } || axis == 0 || axis == -rank;
}
