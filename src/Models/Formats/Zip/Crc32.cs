using System.Buffers.Binary;

namespace Condense.Models.Formats.Zip;

/// <summary>
/// The checksum of zip archives: CRC-32 of ISO 3309, polynomial <c>x³²+x²⁶+x²³+x²²+x¹⁶+x¹²+x¹¹+x¹⁰+x⁸+x⁷+x⁵+x⁴+x²+x+1</c>, bits reflected (APPNOTE 4.4.7).
/// </summary>
internal static class Crc32
{
    private const uint Reflected = 0xEDB88320;
    private const int Slices = 16;
    private const uint TableSize = 256;

    // s_table[256·k + b]: what the byte b does to the remainder when k bytes follow it.
    private static readonly uint[] s_table = MakeTable();

    /// <summary>
    /// The checksum of some bytes that follow others. Sixteen bytes at a time through sixteen tables (Kounavis, Berry, "A systematic approach to building
    /// high performance software-based CRC generators", 2005). O(bytes).
    /// </summary>
    /// <param name="crc">The checksum of the bytes before; 0 for none.</param>
    /// <param name="bytes">The bytes.</param>
    public static uint Append(uint crc, ReadOnlySpan<byte> bytes)
    {
        uint[] table = s_table;
        uint state = ~crc;
        while (bytes.Length >= Slices)
        {
            uint a = BinaryPrimitives.ReadUInt32LittleEndian(bytes) ^ state;
            uint b = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]);
            uint c = BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]);
            uint d = BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..]);
            state = Fold(table, 12, a) ^ Fold(table, 8, b) ^ Fold(table, 4, c) ^ Fold(table, 0, d);
            bytes = bytes[Slices..];
        }

        foreach (byte value in bytes)
        {
            state = (state >> 8) ^ table[(int)((state ^ value) & 0xFF)];
        }

        return ~state;
    }

    // Four bytes of which the last has `after` bytes behind it.
    private static uint Fold(uint[] table, uint after, uint word)
    {
        uint first = after * TableSize;
        return table[first + (3 * TableSize) + (word & 0xFF)]
            ^ table[first + (2 * TableSize) + ((word >> 8) & 0xFF)]
            ^ table[first + TableSize + ((word >> 16) & 0xFF)]
            ^ table[first + (word >> 24)];
    }

    private static uint[] MakeTable()
    {
        uint[] table = new uint[Slices * TableSize];
        for (uint value = 0; value < TableSize; value++)
        {
            uint state = value;
            for (int bit = 0; bit < 8; bit++)
            {
                state = (state >> 1) ^ ((state & 1) * Reflected);
            }

            table[value] = state;
        }

        for (uint i = TableSize; i < table.Length; i++)
        {
            uint shorter = table[i - TableSize];
            table[i] = (shorter >> 8) ^ table[(int)(shorter & 0xFF)];
        }

        return table;
    }
}
