using System.Buffers.Binary;
using Condense.Models.Tensors;

namespace Condense.Models.Rewriting;

/// <summary>
/// Numbers of 2 to 6 bits that lie in bytes one behind the other without a gap, the first in the lowest bits: the nibble that ONNX's 4-bit types call
/// first is the low one. Bits of the last byte that no number takes are 0.
/// </summary>
/// <param name="Bits">Bits of a number.</param>
/// <param name="Signed">Two's complement instead of unsigned.</param>
/// <param name="Shape">The dimensions of the numbers.</param>
public sealed record PackedNumbers(int Bits, bool Signed, TensorShape Shape)
{
    // So many numbers take as many bytes as one of them takes bits.
    private const int Group = 8;

    /// <summary>Packs numbers. O(numbers).</summary>
    /// <param name="numbers">A byte each; what is above <paramref name="bits"/> is dropped.</param>
    /// <param name="bits">Bits of a number.</param>
    /// <param name="packed"><c>⌈numbers·bits/8⌉</c> bytes.</param>
    internal static void Pack(ReadOnlySpan<byte> numbers, int bits, Span<byte> packed)
    {
        Span<byte> group = stackalloc byte[Group];
        int gap = 8 - bits;
        var (ones, pairs, fours) = Masks(bits);
        while (!numbers.IsEmpty)
        {
            int count = Math.Min(Group, numbers.Length);
            int length = Math.Min(bits, packed.Length);
            group.Clear();
            numbers[..count].CopyTo(group);

            // Every second one moves next to the one before it: numbers, then pairs, then fours.
            ulong joined = BinaryPrimitives.ReadUInt64LittleEndian(group);
            joined = (joined & ones) | ((joined >> gap) & (ones << bits));
            joined = (joined & pairs) | ((joined >> (2 * gap)) & (pairs << (2 * bits)));
            joined = (joined & fours) | ((joined >> (4 * gap)) & (fours << (4 * bits)));
            BinaryPrimitives.WriteUInt64LittleEndian(group, joined);
            group[..length].CopyTo(packed);
            numbers = numbers[count..];
            packed = packed[length..];
        }
    }

    /// <summary>Takes numbers apart. O(numbers).</summary>
    /// <param name="packed">The bytes, from one where a number begins.</param>
    /// <param name="bits">Bits of a number.</param>
    /// <param name="signed">Two's complement, which is widened to bytes, instead of unsigned.</param>
    /// <param name="numbers">As many as wanted, all of them in the bytes.</param>
    internal static void Unpack(ReadOnlySpan<byte> packed, int bits, bool signed, Span<byte> numbers)
    {
        Span<byte> group = stackalloc byte[Group];
        int gap = 8 - bits;
        var (ones, pairs, fours) = Masks(bits);
        ulong sign = 0x0101_0101_0101_0101UL << (bits - 1);
        while (!numbers.IsEmpty)
        {
            int length = Math.Min(bits, packed.Length);
            int count = Math.Min(Group, numbers.Length);
            group.Clear();
            packed[..length].CopyTo(group);
            ulong apart = BinaryPrimitives.ReadUInt64LittleEndian(group);
            apart = (apart & fours) | ((apart << (4 * gap)) & (fours << 32));
            apart = (apart & pairs) | ((apart << (2 * gap)) & (pairs << 16));
            apart = (apart & ones) | ((apart << gap) & (ones << 8));
            if (signed)
            {
                // (v ^ h) − h in every byte, held 128 higher meanwhile so that nothing is borrowed from a neighbour.
                const ulong Middle = 0x8080_8080_8080_8080UL;
                apart = ((apart ^ sign) + (Middle - sign)) ^ Middle;
            }

            BinaryPrimitives.WriteUInt64LittleEndian(group, apart);
            group[..count].CopyTo(numbers);
            packed = packed[length..];
            numbers = numbers[count..];
        }
    }

    // The first of every two numbers in bytes, of every two pairs in halves of words, and the first four.
    private static (ulong Ones, ulong Pairs, ulong Fours) Masks(int bits)
        => (((1UL << bits) - 1) * 0x0001_0001_0001_0001UL, ((1UL << (2 * bits)) - 1) * 0x0000_0001_0000_0001UL, (1UL << (4 * bits)) - 1);
}
