using System.Buffers.Binary;
using System.Text;
using Condense.Models.Tensors;
using Microsoft.Win32.SafeHandles;

namespace Condense.Models.Formats.Zip;

/// <summary>
/// The local headers (APPNOTE 4.3.7) in the order of their bytes. Each must say what the directory says, and header, data and descriptor of one entry must
/// end where the next one begins: between entries there is no room for a second archive, and no two share their data.
/// </summary>
/// <param name="file">The open archive.</param>
internal sealed class LocalHeaders(SafeFileHandle file)
{
    private const int FixedBytes = 30;

    // Extra fields that come with the first read of a header; PyTorch pads with up to 63 bytes.
    private const int UsualExtraBytes = 72;

    // Checksum and two sizes of 4 bytes or of 8, with a signature in front or without one (APPNOTE 4.3.9).
    private const int ShortDescriptor = 12;
    private const int LongDescriptor = 20;
    private const int SignatureBytes = 4;

    private byte[] _buffer = new byte[1024];

    /// <summary>Checks an entry's local header and what follows its data.</summary>
    /// <param name="central">What the directory says of it.</param>
    /// <param name="next">Where the next entry, or the directory, begins.</param>
    /// <returns>The entry.</returns>
    /// <exception cref="ModelFormatException">They disagree, or bytes overlap or are left over.</exception>
    /// <exception cref="IOException">The file can't be read.</exception>
    public ZipEntry Read(CentralHeader central, long next)
    {
        long start = central.LocalOffset;
        int nameBytes = Encoding.UTF8.GetByteCount(central.Name);
        long room = next - start;
        if (room < FixedBytes + nameBytes)
        {
            throw Refuse(central, "begins within another entry or the directory");
        }

        var header = Take(start, (int)Math.Min(room, FixedBytes + nameBytes + UsualExtraBytes));
        int extraBytes = BinaryPrimitives.ReadUInt16LittleEndian(header[28..]);
        CheckFields(central, header, nameBytes);
        int headerBytes = FixedBytes + nameBytes + extraBytes;
        long data = start + headerBytes;
        if (central.CompressedLength > next - data)
        {
            throw Refuse(central, $"has {central.CompressedLength} bytes of data from byte {data} on, which run into what begins at byte {next}");
        }

        if (headerBytes > header.Length)
        {
            header = Take(start, headerBytes);
        }

        CheckSizes(central, header, ExtraFields.Read(header[(FixedBytes + nameBytes)..headerBytes], header.Slice(FixedBytes, nameBytes), central.Name, start));
        CheckDescriptor(central, data + central.CompressedLength, next);
        return new ZipEntry(central.Name, central.Method, central.Length, central.CompressedLength, central.Crc32, data);
    }

    private static void CheckFields(CentralHeader central, ReadOnlySpan<byte> header, int nameBytes)
    {
        if (!header.StartsWith("PK\x03\x04"u8))
        {
            throw Refuse(central, "has no header of its own where the directory says");
        }

        Span<byte> name = stackalloc byte[256];
        name = nameBytes <= name.Length ? name[..nameBytes] : new byte[nameBytes];
        Encoding.UTF8.GetBytes(central.Name, name);
        string? field = BinaryPrimitives.ReadUInt16LittleEndian(header[6..]) != central.Flags ? "set of flags"
            : BinaryPrimitives.ReadUInt16LittleEndian(header[8..]) != (int)central.Method ? "method"
            : BinaryPrimitives.ReadUInt32LittleEndian(header[10..]) != central.Time ? "time"
            : BinaryPrimitives.ReadUInt16LittleEndian(header[26..]) != nameBytes || !header.Slice(FixedBytes, nameBytes).SequenceEqual(name) ? "name"
            : null;
        if (field is not null)
        {
            throw Refuse(central, $"has one {field} in its own header and another in the directory");
        }
    }

    // With a descriptor behind the data, writers leave the fields zero, or repeat what they know: PyTorch's gives the header's own place in the zip64 field.
    private static void CheckSizes(CentralHeader central, ReadOnlySpan<byte> header, ExtraFields extra)
    {
        uint crc = BinaryPrimitives.ReadUInt32LittleEndian(header[14..]);
        uint compressed = BinaryPrimitives.ReadUInt32LittleEndian(header[18..]);
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(header[22..]);
        bool described = (central.Flags & CentralDirectory.DescriptorFlag) != 0;
        bool wide = extra.HasZip64;
        bool agrees = (crc == central.Crc32 || (described && crc == 0))
            && Agrees(compressed, central.CompressedLength, wide, described)
            && Agrees(length, central.Length, wide, described)
            && (!wide || Zip64Agrees(central, extra.Zip64, described));
        if (!agrees)
        {
            throw Refuse(central, "has another checksum or size in its own header than in the directory");
        }
    }

    private static bool Agrees(uint shortened, long value, bool wide, bool described) =>
        shortened == value || (wide && shortened == uint.MaxValue) || (described && shortened is 0 or uint.MaxValue);

    private static bool Zip64Agrees(CentralHeader central, ReadOnlySpan<byte> field, bool described)
    {
        if (!described)
        {
            return field.Length == 2 * sizeof(long)
                && BinaryPrimitives.ReadInt64LittleEndian(field) == central.Length
                && BinaryPrimitives.ReadInt64LittleEndian(field[sizeof(long)..]) == central.CompressedLength;
        }

        for (; field.Length >= sizeof(long); field = field[sizeof(long)..])
        {
            long value = BinaryPrimitives.ReadInt64LittleEndian(field);
            if (value != 0 && value != central.Length && value != central.CompressedLength && value != central.LocalOffset)
            {
                return false;
            }
        }

        return field.IsEmpty;
    }

    private void CheckDescriptor(CentralHeader central, long end, long next)
    {
        long room = next - end;
        if ((central.Flags & CentralDirectory.DescriptorFlag) == 0)
        {
            if (room != 0)
            {
                throw Refuse(central, $"is followed by {room} bytes that belong to no entry (byte {end})");
            }

            return;
        }

        if (room is not (ShortDescriptor or ShortDescriptor + SignatureBytes or LongDescriptor or LongDescriptor + SignatureBytes))
        {
            throw Refuse(central, $"is followed by {room} bytes, which are no descriptor alone (byte {end})");
        }

        var bytes = Take(end, (int)room);
        bool signed = room is ShortDescriptor + SignatureBytes or LongDescriptor + SignatureBytes;
        var fields = signed ? bytes[SignatureBytes..] : bytes;
        bool agrees = (!signed || bytes.StartsWith("PK\x07\x08"u8))
            && BinaryPrimitives.ReadUInt32LittleEndian(fields) == central.Crc32
            && (fields.Length == ShortDescriptor
                ? BinaryPrimitives.ReadUInt32LittleEndian(fields[4..]) == central.CompressedLength
                    && BinaryPrimitives.ReadUInt32LittleEndian(fields[8..]) == central.Length
                : BinaryPrimitives.ReadInt64LittleEndian(fields[4..]) == central.CompressedLength
                    && BinaryPrimitives.ReadInt64LittleEndian(fields[12..]) == central.Length);
        if (!agrees)
        {
            throw Refuse(central, $"has another checksum or size in the descriptor behind its data (byte {end}) than in the directory");
        }
    }

    private ReadOnlySpan<byte> Take(long offset, int count)
    {
        if (count > _buffer.Length)
        {
            _buffer = new byte[count];
        }

        var bytes = _buffer.AsSpan(0, count);
        new FileTensorData(file, offset, count).Read(0, bytes);
        return bytes;
    }

    private static ModelFormatException Refuse(CentralHeader central, string what) => new(
        ModelFormatError.InvalidArchive,
        $"The zip entry '{ZipDirectory.Shorten(central.Name)}' {what} (its header at byte {central.LocalOffset}). Save the model anew with the tool that made it.",
        central.LocalOffset);
}
