using System.Buffers.Binary;

namespace Condense.Models.Formats.Zip;

/// <summary>The extra fields of a header (APPNOTE 4.5): identifier, size, data, one after another. Only two change what an entry is; the others are passed over.</summary>
internal readonly ref struct ExtraFields
{
    private const int Zip64Id = 0x0001;
    private const int UnicodePathId = 0x7075;
    private const int HeaderBytes = 4;

    // Version and checksum in front of the name in a Unicode path.
    private const int UnicodePathPrefix = 5;

    private ExtraFields(ReadOnlySpan<byte> zip64, bool hasZip64)
    {
        Zip64 = zip64;
        HasZip64 = hasZip64;
    }

    /// <summary>The data of the zip64 field.</summary>
    public ReadOnlySpan<byte> Zip64 { get; }

    /// <summary>Whether there is a zip64 field.</summary>
    public bool HasZip64 { get; }

    /// <summary>Reads the fields. O(bytes).</summary>
    /// <param name="extra">All of them.</param>
    /// <param name="name">The entry's name in the same header.</param>
    /// <param name="entry">The entry, for messages.</param>
    /// <param name="offset">Where the header stands.</param>
    /// <exception cref="ModelFormatException">A field passes the end, stands twice, or gives the entry another name.</exception>
    public static ExtraFields Read(ReadOnlySpan<byte> extra, ReadOnlySpan<byte> name, string entry, long offset)
    {
        ReadOnlySpan<byte> zip64 = default;
        bool hasZip64 = false;
        bool hasPath = false;

        // Up to three zero bytes at the end are padding, as zipalign writes it.
        while (extra.Length >= HeaderBytes || extra.ContainsAnyExcept((byte)0))
        {
            int size = extra.Length < HeaderBytes ? int.MaxValue : BinaryPrimitives.ReadUInt16LittleEndian(extra[2..]);
            if (size > extra.Length - HeaderBytes)
            {
                throw Refuse("extra fields that pass their end", entry, offset);
            }

            int id = BinaryPrimitives.ReadUInt16LittleEndian(extra);
            var data = extra.Slice(HeaderBytes, size);
            if ((id == Zip64Id && hasZip64) || (id == UnicodePathId && hasPath))
            {
                throw Refuse("the same extra field twice", entry, offset);
            }

            if (id == Zip64Id)
            {
                zip64 = data;
                hasZip64 = true;
            }
            else if (id == UnicodePathId)
            {
                hasPath = true;
                if (data.Length < UnicodePathPrefix || !data[UnicodePathPrefix..].SequenceEqual(name))
                {
                    throw Refuse("a second name in an extra field that differs from the first", entry, offset);
                }
            }

            extra = extra[(HeaderBytes + size)..];
        }

        return new ExtraFields(zip64, hasZip64);
    }

    private static ModelFormatException Refuse(string what, string entry, long offset) => new(
        ModelFormatError.InvalidArchive,
        $"The zip entry '{ZipDirectory.Shorten(entry)}' has {what} (header at byte {offset}). Save the model anew with the tool that made it.",
        offset);
}
