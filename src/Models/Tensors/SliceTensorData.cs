namespace Condense.Models.Tensors;

/// <summary>A part of other data.</summary>
internal sealed class SliceTensorData : TensorData
{
    private readonly TensorData _source;
    private readonly long _start;

    /// <summary>Names the part.</summary>
    /// <param name="source">The whole.</param>
    /// <param name="start">The part's first byte.</param>
    /// <param name="byteLength">The part's length.</param>
    /// <exception cref="ArgumentOutOfRangeException">The part passes the end of the whole.</exception>
    public SliceTensorData(TensorData source, long start, long byteLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfNegative(byteLength);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start, source.ByteLength - byteLength);
        _source = source;
        _start = start;
        ByteLength = byteLength;
    }

    /// <inheritdoc/>
    public override long ByteLength { get; }

    /// <inheritdoc/>
    public override void Read(long offset, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(destination.Length, ByteLength - offset, nameof(destination));
        _source.Read(_start + offset, destination);
    }
}
