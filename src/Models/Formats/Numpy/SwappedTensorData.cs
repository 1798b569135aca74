using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Condense.Models.Tensors;

namespace Condense.Models.Formats.Numpy;

/// <summary>Big-endian numbers as little-endian ones, turned where they are read to.</summary>
/// <param name="source">The numbers as they are stored.</param>
/// <param name="size">Bytes of a number: 2, 4 or 8.</param>
internal sealed class SwappedTensorData(TensorData source, int size) : TensorData
{
    /// <inheritdoc/>
    public override long ByteLength => source.ByteLength;

    /// <inheritdoc/>
    public override void Read(long offset, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(destination.Length, ByteLength - offset, nameof(destination));

        // A part may begin and end within a number.
        Span<byte> number = stackalloc byte[sizeof(ulong)];
        number = number[..size];
        int skipped = (int)(offset % size);
        if (skipped != 0 && !destination.IsEmpty)
        {
            source.Read(offset - skipped, number);
            number.Reverse();
            int count = Math.Min(size - skipped, destination.Length);
            number.Slice(skipped, count).CopyTo(destination);
            offset += count;
            destination = destination[count..];
        }

        var whole = destination[..(destination.Length - (destination.Length % size))];
        source.Read(offset, whole);
        Reverse(whole);
        var tail = destination[whole.Length..];
        if (!tail.IsEmpty)
        {
            source.Read(offset + whole.Length, number);
            number.Reverse();
            number[..tail.Length].CopyTo(tail);
        }
    }

    private void Reverse(Span<byte> bytes)
    {
        switch (size)
        {
            case sizeof(ushort):
                var halves = MemoryMarshal.Cast<byte, ushort>(bytes);
                BinaryPrimitives.ReverseEndianness(halves, halves);
                break;
            case sizeof(uint):
                var words = MemoryMarshal.Cast<byte, uint>(bytes);
                BinaryPrimitives.ReverseEndianness(words, words);
                break;
            default:
                var longs = MemoryMarshal.Cast<byte, ulong>(bytes);
                BinaryPrimitives.ReverseEndianness(longs, longs);
                break;
        }
    }
}
