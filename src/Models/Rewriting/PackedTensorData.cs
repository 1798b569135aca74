using Condense.Models.Tensors;

namespace Condense.Models.Rewriting;

/// <summary>Numbers of a byte each as bytes that hold several, packed when they are read.</summary>
/// <param name="numbers">The numbers.</param>
/// <param name="bits">Bits of a packed number, 2 … 7.</param>
/// <param name="chunk">Numbers that are asked for at once, a multiple of 8: many where each asking costs a pass over a matrix.</param>
internal sealed class PackedTensorData(TensorData numbers, int bits, int chunk = PackedTensorData.Chunk) : TensorData
{
    /// <summary>Numbers that are asked for at once unless told otherwise.</summary>
    public const int Chunk = 1 << 16;

    // So many numbers take as many bytes as one of them takes bits.
    private const int Group = 8;

    /// <inheritdoc/>
    public override long ByteLength => ((numbers.ByteLength * bits) + 7) / 8;

    /// <inheritdoc/>
    public override void Read(long offset, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(destination.Length, ByteLength - offset, nameof(destination));
        while (!destination.IsEmpty)
        {
            // A part may begin and end within a group.
            long first = offset / bits * Group;
            int skipped = (int)(offset % bits);
            long wanted = ((long)skipped + destination.Length + bits - 1) / bits * Group;
            byte[] codes = new byte[Math.Min(Math.Min(chunk, wanted), numbers.ByteLength - first)];
            numbers.Read(first, codes);
            byte[] packed = new byte[(((long)codes.Length * bits) + 7) / 8];
            PackedNumbers.Pack(codes, bits, packed);
            var part = packed.AsSpan(skipped, Math.Min(packed.Length - skipped, destination.Length));
            part.CopyTo(destination);
            destination = destination[part.Length..];
            offset += part.Length;
        }
    }

    /// <inheritdoc/>
    public override async Task CopyToAsync(Stream destination, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(destination);
        byte[] buffer = new byte[(int)Math.Min((long)chunk / Group * bits, ByteLength)];
        for (long offset = 0; offset < ByteLength;)
        {
            int count = (int)Math.Min(buffer.Length, ByteLength - offset);
            Read(offset, buffer.AsSpan(0, count));
            await destination.WriteAsync(buffer.AsMemory(0, count), cancellationToken);
            offset += count;
        }
    }
}
