using Condense.Models.Tensors;

namespace Condense.Models.Rewriting.Onnx;

/// <summary>The dimensions that factors of a weight have where a convolution or a recurrent layer takes them.</summary>
internal static class FactorShapes
{
    /// <summary>Of the left factor: kernels of 1×1 that mix r channels, or gates with r inputs.</summary>
    /// <param name="kind">What the consumer does.</param>
    /// <param name="weight">The dimensions of the weight that it had.</param>
    /// <param name="rank">r.</param>
    public static TensorShape Left(ConsumerKind kind, TensorShape weight, long rank) => kind == ConsumerKind.Conv
        ? new TensorShape([weight[0], rank, .. Enumerable.Repeat(1L, weight.Rank - 2)])
        : new TensorShape(weight[0], weight[1], rank);

    /// <summary>Of the right factor: r kernels of the weight's own size, or a matrix from the inputs to r numbers.</summary>
    /// <param name="kind">What the consumer does.</param>
    /// <param name="weight">The dimensions of the weight that it had.</param>
    /// <param name="rank">r.</param>
    public static TensorShape Right(ConsumerKind kind, TensorShape weight, long rank) => kind == ConsumerKind.Conv
        ? new TensorShape([rank, .. weight.Dimensions.AsSpan()[1..]])
        : new TensorShape(rank, weight[2]);
}
