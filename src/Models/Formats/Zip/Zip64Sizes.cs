using System.Buffers.Binary;

namespace Condense.Models.Formats.Zip;

/// <summary>The short sizes of a central header, and the long ones that a zip64 field (APPNOTE 4.5.3) puts in their place.</summary>
/// <param name="Length">Bytes when unpacked, or 2³²−1.</param>
/// <param name="Compressed">Bytes in the archive, or 2³²−1.</param>
/// <param name="Local">The place of the local header, or 2³²−1.</param>
/// <param name="Disk">The disk that it is on, or 2¹⁶−1.</param>
internal readonly record struct Zip64Sizes(uint Length, uint Compressed, uint Local, int Disk)
{
    /// <summary>The sizes that hold.</summary>
    /// <param name="extra">The header's extra fields.</param>
    /// <param name="name">The entry, for messages.</param>
    /// <param name="offset">Where the header stands.</param>
    /// <exception cref="ModelFormatException">The zip64 field has not exactly what the header lacks, or the entry is on another disk.</exception>
    public (long Length, long Compressed, long Local) Widen(ExtraFields extra, string name, long offset)
    {
        var field = extra.Zip64;
        bool any = Length == uint.MaxValue || Compressed == uint.MaxValue || Local == uint.MaxValue || Disk == ushort.MaxValue;

        // A field that replaces nothing is harmless when it says the same as the header; its order is then that of a field that replaces all.
        long length = Take(ref field, Length, !any);
        long compressed = Take(ref field, Compressed, !any);
        long local = Take(ref field, Local, !any);
        int disk = Disk;
        if (field.Length == sizeof(uint) && (!any || Disk == ushort.MaxValue))
        {
            uint wide = BinaryPrimitives.ReadUInt32LittleEndian(field);
            disk = wide > ushort.MaxValue ? ushort.MaxValue : (int)wide;
            field = [];
        }

        if (!field.IsEmpty || length < 0 || compressed < 0 || local < 0 || (!any && (length != Length || compressed != Compressed || local != Local || disk != Disk)))
        {
            throw new ModelFormatException(
                ModelFormatError.InvalidArchive,
                $"The zip64 sizes of the zip entry '{ZipDirectory.Shorten(name)}' are not those that its header leaves out (header at byte {offset}). Save the model anew with the tool that made it.",
                offset);
        }

        return disk == 0
            ? (length, compressed, local)
            : throw new ModelFormatException(
                ModelFormatError.UnsupportedArchive,
                $"The zip entry '{ZipDirectory.Shorten(name)}' is on disk {disk} of several (header at byte {offset}); join them into one archive first.",
                offset);
    }

    // Negative when the field lacks the number or it passes 2⁶³−1.
    private static long Take(ref ReadOnlySpan<byte> field, uint shortened, bool all)
    {
        if (shortened != uint.MaxValue && !(all && field.Length >= sizeof(long)))
        {
            return shortened;
        }

        if (field.Length < sizeof(long))
        {
            return -1;
        }

        long value = BinaryPrimitives.ReadInt64LittleEndian(field);
        field = field[sizeof(long)..];
        return value;
    }
}
