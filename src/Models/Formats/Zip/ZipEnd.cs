using System.Buffers.Binary;
using Condense.Models.Tensors;
using Microsoft.Win32.SafeHandles;

namespace Condense.Models.Formats.Zip;

/// <summary>Where the central directory lies, from the records at the archive's end (APPNOTE 4.3.14–4.3.16).</summary>
/// <param name="Offset">The directory's first byte.</param>
/// <param name="Length">Its bytes.</param>
/// <param name="Count">Its entries.</param>
internal readonly record struct ZipEnd(long Offset, long Length, long Count)
{
    private const int EndBytes = 22;
    private const int LocatorBytes = 20;
    private const int End64Bytes = 56;
    private const int MaxCommentBytes = ushort.MaxValue;

    // Bytes of the zip64 record that its own length does not count.
    private const int End64Prefix = 12;

    private static ReadOnlySpan<byte> EndSignature => "PK\x05\x06"u8;

    private static ReadOnlySpan<byte> LocatorSignature => "PK\x06\x07"u8;

    private static ReadOnlySpan<byte> End64Signature => "PK\x06\x06"u8;

    /// <summary>
    /// Finds the records and checks that they agree, that nothing but the archive's comment follows them and that the directory ends where they begin.
    /// Memory: 64 KiB.
    /// </summary>
    /// <param name="file">The open archive.</param>
    /// <exception cref="ModelFormatException">They are missing, contradict each other, or belong to an archive of several disks.</exception>
    /// <exception cref="IOException">The file can't be read.</exception>
    public static ZipEnd Read(SafeFileHandle file)
    {
        long length = RandomAccess.GetLength(file);
        byte[] tail = new byte[(int)Math.Min(length, EndBytes + MaxCommentBytes)];
        long start = length - tail.Length;
        new FileTensorData(file, start, tail.Length).Read(0, tail);
        int at = Find(tail, start);
        long end = start + at;
        var record = tail.AsSpan(at, EndBytes);
        var small = new Fields(
            BinaryPrimitives.ReadUInt16LittleEndian(record[4..]),
            BinaryPrimitives.ReadUInt16LittleEndian(record[6..]),
            BinaryPrimitives.ReadUInt16LittleEndian(record[8..]),
            BinaryPrimitives.ReadUInt16LittleEndian(record[10..]),
            BinaryPrimitives.ReadUInt32LittleEndian(record[12..]),
            BinaryPrimitives.ReadUInt32LittleEndian(record[16..]));
        var (fields, directoryEnd) = ReadEnd64(file, end, small) ?? (small, end);
        if (fields.Disk != 0 || fields.DirectoryDisk != 0 || fields.DiskCount != fields.Count)
        {
            throw new ModelFormatException(
                ModelFormatError.UnsupportedArchive, $"The zip archive is one of several disks (byte {end}); join them into one archive first.", end);
        }

        if (fields.Length > (ulong)directoryEnd || fields.Offset != (ulong)directoryEnd - fields.Length)
        {
            throw Refuse(
                $"its end says that the directory has {fields.Length} bytes from byte {fields.Offset} on, but these do not end at byte {directoryEnd}, where the end begins; bytes were put before or between",
                end);
        }

        return fields.Count <= fields.Length / CentralDirectory.FixedBytes
            ? new ZipEnd((long)fields.Offset, (long)fields.Length, (long)fields.Count)
            : throw Refuse($"its end counts {fields.Count} entries, which a directory of {fields.Length} bytes can't hold", end);
    }

    // The last record in the file, which the comment behind it must fill up exactly; no other may do so as well, or readers would differ.
    private static int Find(ReadOnlySpan<byte> tail, long start)
    {
        int found = -1;
        for (int at = tail.LastIndexOf(EndSignature); at >= 0; at = tail[..at].LastIndexOf(EndSignature))
        {
            bool fits = at + EndBytes <= tail.Length && BinaryPrimitives.ReadUInt16LittleEndian(tail[(at + EndBytes - 2)..]) == tail.Length - at - EndBytes;
            if (found < 0 && !fits)
            {
                throw Refuse("bytes follow its end, or its comment is not as long as it says", start + at);
            }

            if (found >= 0 && fits)
            {
                throw Refuse("it has two ends, one in the comment of the other", start + at);
            }

            found = Math.Max(found, at);
        }

        return found >= 0 ? found : throw Refuse("its end is missing: the file was cut, or other bytes were added to it", start + tail.Length);
    }

    private static (Fields Fields, long Start)? ReadEnd64(SafeFileHandle file, long end, Fields small)
    {
        Span<byte> locator = stackalloc byte[LocatorBytes];
        if (end < LocatorBytes + End64Bytes || !ReadAt(file, end - LocatorBytes, locator).StartsWith(LocatorSignature))
        {
            return small.Offset == uint.MaxValue || small.Length == uint.MaxValue
                ? throw Refuse("its end points to a zip64 end that is not there", end)
                : null;
        }

        long locatorStart = end - LocatorBytes;
        ulong start = BinaryPrimitives.ReadUInt64LittleEndian(locator[8..]);
        if (BinaryPrimitives.ReadUInt32LittleEndian(locator[4..]) != 0 || BinaryPrimitives.ReadUInt32LittleEndian(locator[16..]) > 1)
        {
            throw new ModelFormatException(
                ModelFormatError.UnsupportedArchive, $"The zip archive is one of several disks (byte {locatorStart}); join them into one archive first.", locatorStart);
        }

        if (start != (ulong)(locatorStart - End64Bytes))
        {
            throw Refuse($"its zip64 end is said to begin at byte {start}, not in front of its locator", locatorStart);
        }

        Span<byte> record = stackalloc byte[End64Bytes];
        if (!ReadAt(file, (long)start, record).StartsWith(End64Signature) || BinaryPrimitives.ReadUInt64LittleEndian(record[4..]) != End64Bytes - End64Prefix)
        {
            throw Refuse("its zip64 end is not one, or has another length than it says", (long)start);
        }

        var fields = new Fields(
            BinaryPrimitives.ReadUInt32LittleEndian(record[16..]),
            BinaryPrimitives.ReadUInt32LittleEndian(record[20..]),
            BinaryPrimitives.ReadUInt64LittleEndian(record[24..]),
            BinaryPrimitives.ReadUInt64LittleEndian(record[32..]),
            BinaryPrimitives.ReadUInt64LittleEndian(record[40..]),
            BinaryPrimitives.ReadUInt64LittleEndian(record[48..]));
        return small.Agrees(fields) ? (fields, (long)start) : throw Refuse("its end and its zip64 end contradict each other", end);
    }

    private static ReadOnlySpan<byte> ReadAt(SafeFileHandle file, long offset, Span<byte> bytes)
    {
        new FileTensorData(file, offset, bytes.Length).Read(0, bytes);
        return bytes;
    }

    private static ModelFormatException Refuse(string why, long offset) => new(
        ModelFormatError.InvalidArchive, $"The zip archive is broken: {why} (byte {offset}). Save the model anew with the tool that made it.", offset);

    private readonly record struct Fields(ulong Disk, ulong DirectoryDisk, ulong DiskCount, ulong Count, ulong Length, ulong Offset)
    {
        // Each of the short fields says the same, or that the long one knows.
        public bool Agrees(Fields wide) =>
            (Disk == wide.Disk || Disk == ushort.MaxValue)
            && (DirectoryDisk == wide.DirectoryDisk || DirectoryDisk == ushort.MaxValue)
            && (DiskCount == wide.DiskCount || DiskCount == ushort.MaxValue)
            && (Count == wide.Count || Count == ushort.MaxValue)
            && (Length == wide.Length || Length == uint.MaxValue)
            && (Offset == wide.Offset || Offset == uint.MaxValue);
    }
}
