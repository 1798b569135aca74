using System.IO.Compression;
using Condense.Models.Tensors;
using Microsoft.Win32.SafeHandles;

namespace Condense.Models.Formats.Zip;

/// <summary>
/// The bytes of a deflated entry, unpacked as they are read, never more of them than the archive says. Reading forward goes on where the last reading
/// stopped; reading backward begins anew.
/// </summary>
/// <param name="file">The open archive.</param>
/// <param name="entry">The entry.</param>
internal sealed class DeflatedEntryData(SafeFileHandle file, ZipEntry entry) : TensorData
{
    private const int SkipBytes = 1 << 16;

    private readonly Lock _lock = new();
    private DeflateStream? _stream;
    private long _position;
    private uint _crc;

    /// <inheritdoc/>
    public override long ByteLength => entry.Length;

    /// <inheritdoc/>
    /// <exception cref="ModelFormatException">The data is no deflated stream of the entry's length, or, at its end, of another checksum.</exception>
    public override void Read(long offset, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(destination.Length, ByteLength - offset, nameof(destination));
        if (destination.IsEmpty && entry.Length > 0)
        {
            return;
        }

        lock (_lock)
        {
            try
            {
                Unpack(offset, destination);
            }
            catch
            {
                Close();
                throw;
            }
        }
    }

    private void Unpack(long offset, Span<byte> destination)
    {
        if (_stream is null || offset < _position)
        {
            Close();
            _stream = FileRangeStream.Inflate(file, entry.DataOffset, entry.CompressedLength);
        }

        if (offset > _position)
        {
            byte[] skipped = new byte[(int)Math.Min(SkipBytes, offset - _position)];
            while (_position < offset)
            {
                Take(_stream, skipped.AsSpan(0, (int)Math.Min(skipped.Length, offset - _position)));
            }
        }

        Take(_stream, destination);
        if (_position == entry.Length)
        {
            Finish(_stream);
        }
    }

    private void Take(DeflateStream stream, Span<byte> destination)
    {
        while (destination.Length > 0)
        {
            int count = Read(stream, destination);
            if (count == 0)
            {
                throw ZipDirectory.Refuse(entry, $"unpacks to {_position} bytes; the archive says {entry.Length}");
            }

            _crc = Crc32.Append(_crc, destination[..count]);
            _position += count;
            destination = destination[count..];
        }
    }

    // The inflater's memory is let go: a model of many entries is read one after another.
    private void Finish(DeflateStream stream)
    {
        Span<byte> more = stackalloc byte[1];
        if (Read(stream, more) != 0)
        {
            throw ZipDirectory.Refuse(entry, $"unpacks to more than the {entry.Length} bytes that the archive says");
        }

        if (_crc != entry.Crc32)
        {
            throw ZipDirectory.Refuse(entry, "has another checksum than the archive says");
        }

        Close();
    }

    private int Read(DeflateStream stream, Span<byte> destination)
    {
        try
        {
            return stream.Read(destination);
        }
        catch (InvalidDataException exception)
        {
            throw new ModelFormatException(
                ModelFormatError.InvalidArchive,
                $"The data of the zip entry '{ZipDirectory.Shorten(entry.Name)}' is no deflated stream (byte {entry.DataOffset}): {exception.Message} The file is damaged: take another copy, or save the model anew.",
                entry.DataOffset,
                innerException: exception);
        }
    }

    private void Close()
    {
        _stream?.Dispose();
        _stream = null;
        _position = 0;
        _crc = 0;
    }
}
