using Condense.Models.Tensors;

namespace Condense.Models.Formats.Numpy;

/// <summary>The bytes of others from a place on.</summary>
/// <param name="whole">All bytes.</param>
/// <param name="start">The first that counts.</param>
internal sealed class SlicedTensorData(TensorData whole, long start) : TensorData
{
    /// <inheritdoc/>
    public override long ByteLength { get; } = whole.ByteLength - start;

    /// <inheritdoc/>
    public override void Read(long offset, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        whole.Read(start + offset, destination);
    }
}
