namespace Condense.Models.Tensors;

/// <summary>Bytes in memory.</summary>
/// <param name="bytes">The bytes; not copied.</param>
public sealed class MemoryTensorData(ReadOnlyMemory<byte> bytes) : TensorData
{
    /// <inheritdoc/>
    public override long ByteLength => bytes.Length;

    /// <summary>The bytes.</summary>
    public ReadOnlyMemory<byte> Bytes => bytes;

    /// <inheritdoc/>
    public override void Read(long offset, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(destination.Length, bytes.Length - offset, nameof(destination));
        bytes.Span.Slice((int)offset, destination.Length).CopyTo(destination);
    }

    /// <inheritdoc/>
    public override async Task CopyToAsync(Stream destination, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(destination);
        await destination.WriteAsync(bytes, cancellationToken);
    }
}
