using System.Buffers.Binary;
using System.Text;

namespace Condense.Models.Formats.Zip;

/// <summary>
/// Writes zip archives of stored entries: sizes are in the local headers, there are no descriptors, and every entry is of 1 January 1980, so that equal
/// entries give equal archives. zip64 records are written where a number passes the short fields, and nowhere else.
/// </summary>
internal static class ZipWriter
{
    private const int LocalBytes = 30;
    private const int CentralBytes = 46;
    private const int EndBytes = 22;
    private const int End64Bytes = 56 + 20;
    private const int CrcPlace = 14;

    // Identifier and size of an extra field.
    private const int FieldBytes = 4;
    private const ushort Zip64Id = 1;

    private const ushort PlainVersion = 20;
    private const ushort Zip64Version = 45;

    // In MS-DOS's way, 1 January 1980, midnight: the first day there is.
    private const uint FirstDay = 0x0021_0000;

    /// <summary>The exact length of the archive. O(entries).</summary>
    /// <param name="entries">The entries.</param>
    /// <exception cref="OverflowException">More than 2⁶³−1.</exception>
    public static long Measure(IReadOnlyList<ZipSource> entries)
    {
        long local = 0;
        long central = 0;
        foreach (var entry in entries)
        {
            int name = Encoding.UTF8.GetByteCount(entry.Name);
            central += CentralBytes + name + CentralExtra(entry.Length, local);
            local += LocalBytes + name + LocalExtra(entry.Length) + entry.Length;
        }

        return local + central + EndBytes + (NeedsEnd64(entries.Count, local, central) ? End64Bytes : 0);
    }

    /// <summary>Writes the archive. Memory: the directory and a buffer of 1 MiB. O(bytes).</summary>
    /// <param name="entries">The entries, each name once.</param>
    /// <param name="path">The file, created or replaced.</param>
    /// <param name="cancellationToken">Stops between two buffers.</param>
    /// <exception cref="IOException">The disk failed or is full.</exception>
    public static async Task WriteAsync(IReadOnlyList<ZipSource> entries, string path, CancellationToken cancellationToken)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            Options = FileOptions.Asynchronous,
            BufferSize = 0,
            PreallocationSize = Measure(entries),
        };
        await using var file = new FileStream(path, options);
        using var directory = new MemoryStream();
        foreach (var entry in entries)
        {
            long start = file.Position;
            byte[] header = LocalHeader(entry);
            await file.WriteAsync(header, cancellationToken);
            var summed = new CrcStream(file);
            await summed.WriteAsync(entry.Header, cancellationToken);
            await entry.Data.CopyToAsync(summed, cancellationToken);

            // The checksum stands before the data that it is of.
            byte[] crc = new byte[sizeof(uint)];
            BinaryPrimitives.WriteUInt32LittleEndian(crc, summed.Crc);
            await RandomAccess.WriteAsync(file.SafeFileHandle, crc, start + CrcPlace, cancellationToken);
            WriteCentral(directory, entry, summed.Crc, start);
        }

        long directoryStart = file.Position;
        WriteEnd(directory, entries.Count, directoryStart);
        await file.WriteAsync(directory.GetBuffer().AsMemory(0, (int)directory.Length), cancellationToken);
    }

    private static bool NeedsEnd64(int count, long directoryStart, long directoryLength) =>
        count >= ushort.MaxValue || directoryStart >= uint.MaxValue || directoryLength >= uint.MaxValue;

    private static int LocalExtra(long length) => length >= uint.MaxValue ? FieldBytes + (2 * sizeof(long)) : 0;

    private static int CentralExtra(long length, long start)
    {
        int data = (length >= uint.MaxValue ? 2 * sizeof(long) : 0) + (start >= uint.MaxValue ? sizeof(long) : 0);
        return data == 0 ? 0 : FieldBytes + data;
    }

    private static byte[] LocalHeader(ZipSource entry)
    {
        byte[] name = Encoding.UTF8.GetBytes(entry.Name);
        byte[] header = new byte[LocalBytes + name.Length + LocalExtra(entry.Length)];
        "PK\x03\x04"u8.CopyTo(header);
        WriteShared(header.AsSpan(4), entry.Length, name.Length, LocalExtra(entry.Length));
        name.CopyTo(header, LocalBytes);
        WriteZip64(header.AsSpan(LocalBytes + name.Length), entry.Length, start: 0);
        return header;
    }

    private static void WriteCentral(MemoryStream directory, ZipSource entry, uint crc, long start)
    {
        byte[] name = Encoding.UTF8.GetBytes(entry.Name);
        int extra = CentralExtra(entry.Length, start);
        byte[] header = new byte[CentralBytes + name.Length + extra];
        "PK\x01\x02"u8.CopyTo(header);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(4), Zip64Version);
        WriteShared(header.AsSpan(6), entry.Length, name.Length, extra);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(16), crc);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(42), (uint)Math.Min(start, uint.MaxValue));
        name.CopyTo(header, CentralBytes);
        WriteZip64(header.AsSpan(CentralBytes + name.Length), entry.Length, start);
        directory.Write(header);
    }

    // From the version needed to the length of the extra fields, local and central headers are alike.
    private static void WriteShared(Span<byte> fields, long length, int nameBytes, int extraBytes)
    {
        uint shortened = (uint)Math.Min(length, uint.MaxValue);
        BinaryPrimitives.WriteUInt16LittleEndian(fields, extraBytes == 0 ? PlainVersion : Zip64Version);
        BinaryPrimitives.WriteUInt16LittleEndian(fields[2..], EntryNames.Utf8Flag);
        BinaryPrimitives.WriteUInt32LittleEndian(fields[6..], FirstDay);
        BinaryPrimitives.WriteUInt32LittleEndian(fields[14..], shortened);
        BinaryPrimitives.WriteUInt32LittleEndian(fields[18..], shortened);
        BinaryPrimitives.WriteUInt16LittleEndian(fields[22..], (ushort)nameBytes);
        BinaryPrimitives.WriteUInt16LittleEndian(fields[24..], (ushort)extraBytes);
    }

    private static void WriteZip64(Span<byte> extra, long length, long start)
    {
        if (extra.IsEmpty)
        {
            return;
        }

        BinaryPrimitives.WriteUInt16LittleEndian(extra, Zip64Id);
        BinaryPrimitives.WriteUInt16LittleEndian(extra[2..], (ushort)(extra.Length - FieldBytes));
        extra = extra[FieldBytes..];
        if (length >= uint.MaxValue)
        {
            BinaryPrimitives.WriteInt64LittleEndian(extra, length);
            BinaryPrimitives.WriteInt64LittleEndian(extra[8..], length);
            extra = extra[16..];
        }

        if (start >= uint.MaxValue)
        {
            BinaryPrimitives.WriteInt64LittleEndian(extra, start);
        }
    }

    private static void WriteEnd(MemoryStream directory, int count, long start)
    {
        long length = directory.Length;
        if (NeedsEnd64(count, start, length))
        {
            Span<byte> wide = stackalloc byte[End64Bytes];
            wide.Clear();
            "PK\x06\x06"u8.CopyTo(wide);
            BinaryPrimitives.WriteInt64LittleEndian(wide[4..], 44);
            BinaryPrimitives.WriteUInt16LittleEndian(wide[12..], Zip64Version);
            BinaryPrimitives.WriteUInt16LittleEndian(wide[14..], Zip64Version);
            BinaryPrimitives.WriteInt64LittleEndian(wide[24..], count);
            BinaryPrimitives.WriteInt64LittleEndian(wide[32..], count);
            BinaryPrimitives.WriteInt64LittleEndian(wide[40..], length);
            BinaryPrimitives.WriteInt64LittleEndian(wide[48..], start);
            "PK\x06\x07"u8.CopyTo(wide[56..]);
            BinaryPrimitives.WriteInt64LittleEndian(wide[64..], start + length);
            BinaryPrimitives.WriteUInt32LittleEndian(wide[72..], 1);
            directory.Write(wide);
        }

        Span<byte> end = stackalloc byte[EndBytes];
        end.Clear();
        "PK\x05\x06"u8.CopyTo(end);
        ushort shortCount = (ushort)Math.Min(count, ushort.MaxValue);
        BinaryPrimitives.WriteUInt16LittleEndian(end[8..], shortCount);
        BinaryPrimitives.WriteUInt16LittleEndian(end[10..], shortCount);
        BinaryPrimitives.WriteUInt32LittleEndian(end[12..], (uint)Math.Min(length, uint.MaxValue));
        BinaryPrimitives.WriteUInt32LittleEndian(end[16..], (uint)Math.Min(start, uint.MaxValue));
        directory.Write(end);
    }
}
