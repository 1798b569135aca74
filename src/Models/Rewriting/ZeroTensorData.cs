using Condense.Models.Tensors;

namespace Condense.Models.Rewriting;

/// <summary>Zeros that take no memory: they stand for numbers of which only the size is wanted yet.</summary>
/// <param name="byteLength">How many bytes.</param>
internal sealed class ZeroTensorData(long byteLength) : TensorData
{
    /// <inheritdoc/>
    public override long ByteLength => byteLength;

    /// <inheritdoc/>
    public override void Read(long offset, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(destination.Length, byteLength - offset, nameof(destination));
        destination.Clear();
    }
}
