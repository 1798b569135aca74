using System.Buffers.Binary;

namespace Condense.Models.Tests.Fuzzing;

/// <summary>Mutations that know nothing of the format. What is given is not changed.</summary>
internal static class ByteMutations
{
    private static readonly ulong[] s_numbers =
    [
        0, 1, 2, 8, 20, 45, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF, 0x100000000,
        0x7FFFFFFFFFFFFFFF, 0x8000000000000000, 0xFFFFFFFFFFFFFFFF,
    ];

    /// <summary>One of the mutations below.</summary>
    /// <param name="bytes">The file.</param>
    /// <param name="other">Another file, to splice with.</param>
    /// <param name="random">Decides.</param>
    public static byte[] Any(byte[] bytes, byte[] other, Random random) => random.Next(5) switch
    {
        0 => FlipBits(bytes, random),
        1 => bytes[..random.Next(bytes.Length + 1)],
        2 => Splice(bytes, other, random),
        3 => SetNumber(bytes, random.Next(Math.Max(1, bytes.Length)), 1 << random.Next(4), random),
        _ => [.. bytes, .. new byte[random.Next(1, 9)]],
    };

    /// <summary>Turns one to three bits.</summary>
    public static byte[] FlipBits(byte[] bytes, Random random)
    {
        byte[] result = [.. bytes];
        for (int i = random.Next(1, 4); i > 0 && result.Length > 0; i--)
        {
            result[random.Next(result.Length)] ^= (byte)(1 << random.Next(8));
        }

        return result;
    }

    /// <summary>A beginning, a piece of another file, an end.</summary>
    public static byte[] Splice(byte[] bytes, byte[] other, Random random)
    {
        int start = random.Next(other.Length);
        return [.. bytes[..random.Next(bytes.Length + 1)], .. other[start..random.Next(start, other.Length)], .. bytes[random.Next(bytes.Length + 1)..]];
    }

    /// <summary>Writes a number that readers tend to get wrong, or one near to what is there.</summary>
    /// <param name="bytes">The file.</param>
    /// <param name="at">Where.</param>
    /// <param name="size">Its bytes: 1, 2, 4 or 8.</param>
    /// <param name="random">Decides.</param>
    public static byte[] SetNumber(byte[] bytes, int at, int size, Random random)
    {
        byte[] result = [.. bytes];
        if (at + size > result.Length)
        {
            return result;
        }

        Span<byte> number = stackalloc byte[sizeof(ulong)];
        number.Clear();
        result.AsSpan(at, size).CopyTo(number);
        ulong old = BinaryPrimitives.ReadUInt64LittleEndian(number);
        ulong value = random.Next(3) == 0 ? unchecked(old + (ulong)random.Next(-4, 5)) : s_numbers[random.Next(s_numbers.Length)];
        BinaryPrimitives.WriteUInt64LittleEndian(number, value);
        number[..size].CopyTo(result.AsSpan(at));
        return result;
    }
}
