using System.IO.Compression;

namespace Condense.Models.Tests.Formats.Zip;

/// <summary>An entry of an archive that a test puts together; every field can say something else than the truth.</summary>
/// <param name="Name">Its name in the directory, one byte a character.</param>
/// <param name="Data">Its unpacked bytes.</param>
internal sealed record ZipItem(string Name, byte[] Data)
{
    public int Method { get; init; }

    public int Flags { get; init; }

    public uint Time { get; init; } = 0x0021_0000;

    public uint? Crc { get; init; }

    public uint? Length { get; init; }

    public uint? CompressedLength { get; init; }

    public byte[] Extra { get; init; } = [];

    public byte[] Comment { get; init; } = [];

    public int Disk { get; init; }

    public uint? Offset { get; init; }

    public string? LocalName { get; init; }

    public int? LocalMethod { get; init; }

    public int? LocalFlags { get; init; }

    public uint? LocalTime { get; init; }

    public uint? LocalCrc { get; init; }

    public uint? LocalLength { get; init; }

    public uint? LocalCompressedLength { get; init; }

    public byte[] LocalExtra { get; init; } = [];

    public byte[] Behind { get; init; } = [];

    public byte[]? Packed { get; init; }

    public byte[] Bytes => Packed ?? (Method == 8 ? Deflate(Data) : Data);

    public uint TrueCrc => Sum(Data);

    public static byte[] Deflate(byte[] data)
    {
        using var packed = new MemoryStream();
        using (var stream = new DeflateStream(packed, CompressionLevel.SmallestSize))
        {
            stream.Write(data);
        }

        return packed.ToArray();
    }

    // Bit by bit, as the standard defines it.
    public static uint Sum(ReadOnlySpan<byte> bytes)
    {
        uint state = uint.MaxValue;
        foreach (byte value in bytes)
        {
            state ^= value;
            for (int bit = 0; bit < 8; bit++)
            {
                state = (state & 1) == 0 ? state >> 1 : (state >> 1) ^ 0xEDB88320;
            }
        }

        return ~state;
    }
}
