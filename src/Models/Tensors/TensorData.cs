namespace Condense.Models.Tensors;

/// <summary>The bytes of a tensor, little-endian and row-major, wherever they lie; nothing is read before it is asked for.</summary>
public abstract class TensorData
{
    /// <summary>The number of bytes.</summary>
    public abstract long ByteLength { get; }

    /// <summary>Reads a part.</summary>
    /// <param name="offset">The first byte, 0 … ByteLength.</param>
    /// <param name="destination">Filled whole.</param>
    /// <exception cref="ArgumentOutOfRangeException">The part passes the end of the data.</exception>
    /// <exception cref="IOException">The file can't be read, or has changed since it was opened.</exception>
    public abstract void Read(long offset, Span<byte> destination);

    /// <summary>Copies everything to a stream through a buffer of 1 MiB at most.</summary>
    /// <param name="destination">Where to.</param>
    /// <param name="cancellationToken">Stops between two buffers.</param>
    public virtual async Task CopyToAsync(Stream destination, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(destination);
        byte[] buffer = new byte[(int)Math.Min(1 << 20, Math.Max(1, ByteLength))];
        for (long offset = 0; offset < ByteLength;)
        {
            int count = (int)Math.Min(buffer.Length, ByteLength - offset);
            Read(offset, buffer.AsSpan(0, count));
            await destination.WriteAsync(buffer.AsMemory(0, count), cancellationToken);
            offset += count;
        }
    }
}
