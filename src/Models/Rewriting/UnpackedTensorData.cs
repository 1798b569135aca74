using Condense.Models.Tensors;

namespace Condense.Models.Rewriting;

/// <summary>Bytes that hold several numbers as a byte for each number, taken apart when they are read.</summary>
/// <param name="packed">The bytes.</param>
/// <param name="layout">How numbers lie in them.</param>
internal sealed class UnpackedTensorData(TensorData packed, PackedNumbers layout) : TensorData
{
    private const int Chunk = 1 << 16;

    // So many numbers take as many bytes as one of them takes bits.
    private const int Group = 8;

    /// <inheritdoc/>
    public override long ByteLength => layout.Shape.ElementCount;

    /// <inheritdoc/>
    public override void Read(long offset, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(destination.Length, ByteLength - offset, nameof(destination));
        byte[] bytes = new byte[Math.Min(Chunk / Group, (destination.Length / Group) + 2) * layout.Bits];
        byte[] numbers = new byte[bytes.Length / layout.Bits * Group];
        while (!destination.IsEmpty)
        {
            long group = offset / Group;
            int skipped = (int)(offset % Group);
            int count = (int)Math.Min(Math.Min(numbers.Length, skipped + (long)destination.Length), ByteLength - (group * Group));
            var part = bytes.AsSpan(0, ((count * layout.Bits) + 7) / 8);
            packed.Read(group * layout.Bits, part);
            PackedNumbers.Unpack(part, layout.Bits, layout.Signed, numbers.AsSpan(0, count));
            numbers.AsSpan(skipped, count - skipped).CopyTo(destination);
            destination = destination[(count - skipped)..];
            offset += count - skipped;
        }
    }
}
