using Condense.Models.Tensors;
using Microsoft.Win32.SafeHandles;

namespace Condense.Models.Formats.Zip;

/// <summary>The bytes of a stored entry, where they lie. The checksum grows with what is read; it is verified once there is no gap left to the end.</summary>
/// <param name="file">The open archive.</param>
/// <param name="entry">The entry.</param>
internal sealed class StoredEntryData(SafeFileHandle file, ZipEntry entry) : TensorData
{
    private readonly FileTensorData _data = new(file, entry.DataOffset, entry.Length);
    private readonly Lock _lock = new();
    private long _summed;
    private uint _crc;

    /// <inheritdoc/>
    public override long ByteLength => entry.Length;

    /// <inheritdoc/>
    /// <exception cref="ModelFormatException">The bytes, now read through, have another checksum than the archive says.</exception>
    public override void Read(long offset, Span<byte> destination)
    {
        _data.Read(offset, destination);
        if (offset > Volatile.Read(ref _summed) || Volatile.Read(ref _summed) - offset >= destination.Length)
        {
            // An empty entry has a checksum too, and it is 0.
            if (entry.Length == 0 && entry.Crc32 != 0)
            {
                throw ZipDirectory.Refuse(entry, "has another checksum than the archive says");
            }

            return;
        }

        lock (_lock)
        {
            if (offset <= _summed && _summed - offset < destination.Length)
            {
                _crc = Crc32.Append(_crc, destination[(int)(_summed - offset)..]);
                Volatile.Write(ref _summed, offset + destination.Length);
            }

            if (_summed == entry.Length && _crc != entry.Crc32)
            {
                throw ZipDirectory.Refuse(entry, "has another checksum than the archive says");
            }
        }
    }
}
