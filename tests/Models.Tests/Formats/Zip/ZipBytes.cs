using System.Text;

namespace Condense.Models.Tests.Formats.Zip;

/// <summary>Puts archives together byte by byte, honest ones and others.</summary>
internal sealed record ZipBytes
{
    public byte[] Prefix { get; init; } = [];

    public byte[] BeforeDirectory { get; init; } = [];

    public byte[] BeforeEnd { get; init; } = [];

    public byte[] Suffix { get; init; } = [];

    public byte[] Comment { get; init; } = [];

    public int? CommentLength { get; init; }

    public int Disk { get; init; }

    public int? Count { get; init; }

    public uint? DirectoryLength { get; init; }

    public uint? DirectoryOffset { get; init; }

    // A zip64 end and its locator, which may be changed before they are written.
    public bool Zip64 { get; init; }

    public Action<byte[]>? ChangeZip64 { get; init; }

    public bool ShortFieldsSayMarker { get; init; }

    public static byte[] Of(params ZipItem[] items) => new ZipBytes().Make(items);

    public byte[] Make(params ZipItem[] items)
    {
        using var file = new MemoryStream();
        using var writer = new BinaryWriter(file);
        writer.Write(Prefix);
        var offsets = new List<uint>();
        foreach (var item in items)
        {
            offsets.Add((uint)file.Position);
            WriteLocal(writer, item);
        }

        writer.Write(BeforeDirectory);
        uint start = (uint)file.Position;
        for (int i = 0; i < items.Length; i++)
        {
            WriteCentral(writer, items[i], items[i].Offset ?? offsets[i]);
        }

        uint length = (uint)file.Position - start;
        writer.Write(BeforeEnd);
        if (Zip64)
        {
            byte[] end = End64(items.Length, start, length, file.Position);
            ChangeZip64?.Invoke(end);
            writer.Write(end);
        }

        writer.Write("PK\x05\x06"u8);
        writer.Write((ushort)Disk);
        writer.Write((ushort)Disk);
        writer.Write((ushort)(Count ?? (ShortFieldsSayMarker ? ushort.MaxValue : items.Length)));
        writer.Write((ushort)(Count ?? (ShortFieldsSayMarker ? ushort.MaxValue : items.Length)));
        writer.Write(DirectoryLength ?? (ShortFieldsSayMarker ? uint.MaxValue : length));
        writer.Write(DirectoryOffset ?? (ShortFieldsSayMarker ? uint.MaxValue : start));
        writer.Write((ushort)(CommentLength ?? Comment.Length));
        writer.Write(Comment);
        writer.Write(Suffix);
        return file.ToArray();
    }

    /// <summary>A field of extra data.</summary>
    public static byte[] Field(int id, params ReadOnlySpan<byte> data) => [.. BitConverter.GetBytes((ushort)id), .. BitConverter.GetBytes((ushort)data.Length), .. data];

    /// <summary>Whole numbers of 8 bytes.</summary>
    public static byte[] Longs(params ReadOnlySpan<long> values)
    {
        byte[] bytes = new byte[8 * values.Length];
        for (int i = 0; i < values.Length; i++)
        {
            BitConverter.GetBytes(values[i]).CopyTo(bytes, 8 * i);
        }

        return bytes;
    }

    /// <summary>What follows the data of a streamed entry.</summary>
    public static byte[] Descriptor(ZipItem item, bool signature = true, bool wide = false)
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        if (signature)
        {
            writer.Write("PK\x07\x08"u8);
        }

        writer.Write(item.TrueCrc);
        if (wide)
        {
            writer.Write((long)item.Bytes.Length);
            writer.Write((long)item.Data.Length);
        }
        else
        {
            writer.Write(item.Bytes.Length);
            writer.Write(item.Data.Length);
        }

        return bytes.ToArray();
    }

    private static void WriteLocal(BinaryWriter writer, ZipItem item)
    {
        byte[] name = Encoding.Latin1.GetBytes(item.LocalName ?? item.Name);
        writer.Write("PK\x03\x04"u8);
        writer.Write((ushort)20);
        writer.Write((ushort)(item.LocalFlags ?? item.Flags));
        writer.Write((ushort)(item.LocalMethod ?? item.Method));
        writer.Write(item.LocalTime ?? item.Time);
        writer.Write(item.LocalCrc ?? item.Crc ?? item.TrueCrc);
        writer.Write(item.LocalCompressedLength ?? item.CompressedLength ?? (uint)item.Bytes.Length);
        writer.Write(item.LocalLength ?? item.Length ?? (uint)item.Data.Length);
        writer.Write((ushort)name.Length);
        writer.Write((ushort)item.LocalExtra.Length);
        writer.Write(name);
        writer.Write(item.LocalExtra);
        writer.Write(item.Bytes);
        writer.Write(item.Behind);
    }

    private static void WriteCentral(BinaryWriter writer, ZipItem item, uint offset)
    {
        byte[] name = Encoding.Latin1.GetBytes(item.Name);
        writer.Write("PK\x01\x02"u8);
        writer.Write((ushort)20);
        writer.Write((ushort)20);
        writer.Write((ushort)item.Flags);
        writer.Write((ushort)item.Method);
        writer.Write(item.Time);
        writer.Write(item.Crc ?? item.TrueCrc);
        writer.Write(item.CompressedLength ?? (uint)item.Bytes.Length);
        writer.Write(item.Length ?? (uint)item.Data.Length);
        writer.Write((ushort)name.Length);
        writer.Write((ushort)item.Extra.Length);
        writer.Write((ushort)item.Comment.Length);
        writer.Write((ushort)item.Disk);
        writer.Write((ushort)0);
        writer.Write(0);
        writer.Write(offset);
        writer.Write(name);
        writer.Write(item.Extra);
        writer.Write(item.Comment);
    }

    private static byte[] End64(int count, long start, long length, long position)
    {
        byte[] end = new byte[76];
        "PK\x06\x06"u8.CopyTo(end);
        BitConverter.GetBytes(44L).CopyTo(end, 4);
        end[12] = 45;
        end[14] = 45;
        Longs(count, count, length, start).CopyTo(end, 24);
        "PK\x06\x07"u8.CopyTo(end.AsSpan(56));
        BitConverter.GetBytes(position).CopyTo(end, 64);
        end[72] = 1;
        return end;
    }
}
