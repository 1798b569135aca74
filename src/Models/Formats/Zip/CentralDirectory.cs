using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace Condense.Models.Formats.Zip;

/// <summary>The central directory's headers (APPNOTE 4.3.12), read through a buffer, each checked by itself.</summary>
internal static class CentralDirectory
{
    /// <summary>Bytes of a header without its name, extra fields and comment.</summary>
    public const int FixedBytes = 46;

    /// <summary>The flag of an entry whose checksum and sizes follow its data (APPNOTE 4.4.4, bit 3).</summary>
    public const int DescriptorFlag = 0x8;

    // Bits 1 and 2: how hard the deflater tried. They stay where a writer found that deflating did not pay and stored the bytes.
    private const int EffortFlags = 0x6;

    // Bits 0, 6 and 13: encryption, strong encryption, masked headers.
    private const int EncryptionFlags = 0x2041;

    // Bit 5: patch data for another file.
    private const int PatchFlag = 0x20;

    // What an entry costs in memory beside its name: its header, its entry, its places in a list and two tables.
    private const int EntryBytes = 320;

    /// <summary>Reads the headers. O(bytes) time; memory: the entries and a buffer of 64 KiB.</summary>
    /// <param name="file">The open archive.</param>
    /// <param name="end">Where the directory lies.</param>
    /// <param name="limits">What is accepted.</param>
    /// <exception cref="ModelFormatException">A header is broken, asks for what is not read, or the limits are passed.</exception>
    /// <exception cref="IOException">The file can't be read.</exception>
    public static CentralHeader[] Read(SafeFileHandle file, ZipEnd end, ReadLimits limits)
    {
        if (end.Count > limits.Items || end.Length > limits.StructureBytes)
        {
            throw new ModelFormatException(
                ModelFormatError.LimitExceeded,
                $"The zip archive has {end.Count} entries in a directory of {end.Length} bytes; at most {limits.Items} entries in {limits.StructureBytes} bytes are read.",
                end.Offset);
        }

        var reader = new ForwardReader(file, end.Offset, end.Length);
        var headers = new CentralHeader[end.Count];
        long memory = 0;
        long unpacked = 0;
        for (int i = 0; i < headers.Length; i++)
        {
            var header = ReadHeader(ref reader, limits);
            memory += EntryBytes + (2L * header.Name.Length);
            unpacked += header.Method == ZipMethod.Deflated ? header.Length : 0;
            if (memory > limits.StructureBytes)
            {
                throw new ModelFormatException(
                    ModelFormatError.LimitExceeded,
                    $"The zip archive's directory takes more than {limits.StructureBytes} bytes of memory, the most that is allowed.",
                    reader.Position);
            }

            if (unpacked > limits.UnpackedBytes)
            {
                throw new ModelFormatException(
                    ModelFormatError.ArchiveBomb,
                    $"The zip archive would unpack to more than {limits.UnpackedBytes} bytes, the most that is read. Save the model without compression.",
                    reader.Position);
            }

            headers[i] = header;
        }

        return reader.Remaining == 0
            ? headers
            : throw Refuse($"{reader.Remaining} bytes follow the {headers.Length} entries that its end counts", reader.Position);
    }

    private static CentralHeader ReadHeader(ref ForwardReader reader, ReadLimits limits)
    {
        long offset = reader.Position;
        if (reader.Remaining < FixedBytes)
        {
            throw Refuse("its directory ends within a header", offset);
        }

        var header = reader.Take(FixedBytes);
        if (!header.StartsWith("PK\x01\x02"u8))
        {
            throw Refuse("its directory has something else where a header should stand", offset);
        }

        int flags = BinaryPrimitives.ReadUInt16LittleEndian(header[8..]);
        int method = BinaryPrimitives.ReadUInt16LittleEndian(header[10..]);
        uint time = BinaryPrimitives.ReadUInt32LittleEndian(header[12..]);
        uint crc = BinaryPrimitives.ReadUInt32LittleEndian(header[16..]);
        uint compressed = BinaryPrimitives.ReadUInt32LittleEndian(header[20..]);
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(header[24..]);
        int nameBytes = BinaryPrimitives.ReadUInt16LittleEndian(header[28..]);
        int extraBytes = BinaryPrimitives.ReadUInt16LittleEndian(header[30..]);
        int commentBytes = BinaryPrimitives.ReadUInt16LittleEndian(header[32..]);
        int disk = BinaryPrimitives.ReadUInt16LittleEndian(header[34..]);
        uint local = BinaryPrimitives.ReadUInt32LittleEndian(header[42..]);
        if (reader.Remaining < nameBytes + extraBytes + commentBytes)
        {
            throw Refuse("its directory ends within an entry's name, extra fields or comment", offset);
        }

        if (nameBytes > limits.NameBytes)
        {
            throw new ModelFormatException(
                ModelFormatError.LimitExceeded, $"A zip entry's name has {nameBytes} bytes (header at byte {offset}); at most {limits.NameBytes} are read.", offset);
        }

        var rest = reader.Take(nameBytes + extraBytes + commentBytes);
        string name = EntryNames.Read(rest[..nameBytes], flags, offset);
        CheckKind(flags, method, name, offset);
        var sizes = new Zip64Sizes(length, compressed, local, disk).Widen(
            ExtraFields.Read(rest.Slice(nameBytes, extraBytes), rest[..nameBytes], name, offset), name, offset);
        CheckSizes((ZipMethod)method, sizes, name, offset, limits);
        return new CentralHeader(name, flags, (ZipMethod)method, time, crc, sizes.Compressed, sizes.Length, sizes.Local);
    }

    private static void CheckKind(int flags, int method, string name, long offset)
    {
        string? unread = (flags & EncryptionFlags) != 0 ? "is encrypted"
            : (flags & PatchFlag) != 0 ? "is a patch of another file"
            : method is not ((int)ZipMethod.Stored or (int)ZipMethod.Deflated) ? $"is compressed by method {method}"
            : null;
        if (unread is not null)
        {
            throw new ModelFormatException(
                ModelFormatError.UnsupportedArchive,
                $"The zip entry '{ZipDirectory.Shorten(name)}' {unread} (header at byte {offset}); entries are read as they are or deflated. Save the model so.",
                offset);
        }

        int unknown = flags & ~(EffortFlags | DescriptorFlag | EntryNames.Utf8Flag);
        if (unknown != 0)
        {
            throw Refuse($"the entry '{ZipDirectory.Shorten(name)}' has flags 0x{unknown:X}, which no version of the format knows", offset);
        }
    }

    private static void CheckSizes(ZipMethod method, (long Length, long Compressed, long Local) sizes, string name, long offset, ReadLimits limits)
    {
        if (method == ZipMethod.Stored && sizes.Length != sizes.Compressed)
        {
            throw Refuse($"the stored entry '{ZipDirectory.Shorten(name)}' has {sizes.Compressed} bytes in the archive and {sizes.Length} outside", offset);
        }

        if (name.EndsWith('/') && sizes.Length != 0)
        {
            throw Refuse($"the folder '{ZipDirectory.Shorten(name)}' holds {sizes.Length} bytes", offset);
        }

        if (method == ZipMethod.Deflated && (sizes.Length > limits.UnpackedEntryBytes || sizes.Length / limits.UnpackedRatio > sizes.Compressed))
        {
            throw new ModelFormatException(
                ModelFormatError.ArchiveBomb,
                $"The zip entry '{ZipDirectory.Shorten(name)}' would unpack from {sizes.Compressed} to {sizes.Length} bytes (header at byte {offset}); at most {limits.UnpackedEntryBytes} bytes and {limits.UnpackedRatio} times as many are read.",
                offset);
        }
    }

    private static ModelFormatException Refuse(string why, long offset) => new(
        ModelFormatError.InvalidArchive, $"The zip archive is broken: {why} (byte {offset}). Save the model anew with the tool that made it.", offset);
}
