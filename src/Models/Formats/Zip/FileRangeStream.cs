using System.IO.Compression;
using Microsoft.Win32.SafeHandles;

namespace Condense.Models.Formats.Zip;

/// <summary>A range of a file as a stream that is read forward, for the inflater.</summary>
/// <param name="file">The open file; not closed with the stream.</param>
/// <param name="start">The range's first byte.</param>
/// <param name="length">Its length.</param>
internal sealed class FileRangeStream(SafeFileHandle file, long start, long length) : Stream
{
    private long _position;

    /// <summary>Opens a range that holds a deflated stream.</summary>
    /// <param name="file">The open file; not closed with the stream.</param>
    /// <param name="start">The range's first byte.</param>
    /// <param name="length">Its length.</param>
    /// <returns>The unpacked bytes, read forward.</returns>
    public static DeflateStream Inflate(SafeFileHandle file, long start, long length) =>
        new(new FileRangeStream(file, start, length), CompressionMode.Decompress);

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Length => length;

    /// <inheritdoc/>
    public override long Position
    {
        get => _position;
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        buffer = buffer[..(int)Math.Min(buffer.Length, length - _position)];
        int count = buffer.IsEmpty ? 0 : RandomAccess.Read(file, buffer, start + _position);
        _position += count;
        return count;
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override void Flush()
    {
        // Nothing is ever written.
    }

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
