using Condense.Models.Tensors;
using Microsoft.Win32.SafeHandles;

namespace Condense.Models.Formats.Zip;

/// <summary>A range of a file, read forward in pieces through one buffer.</summary>
internal ref struct ForwardReader
{
    private const int BufferBytes = 1 << 16;

    private readonly SafeFileHandle _file;
    private readonly long _end;
    private byte[] _buffer;
    private int _first;
    private int _count;

    /// <summary>Begins at the range's first byte.</summary>
    /// <param name="file">The open file.</param>
    /// <param name="start">The range's first byte.</param>
    /// <param name="length">Its length; the file has these bytes.</param>
    public ForwardReader(SafeFileHandle file, long start, long length)
    {
        _file = file;
        _end = start + length;
        _buffer = new byte[(int)Math.Min(BufferBytes, length)];
        Position = start;
    }

    /// <summary>The place of the next piece in the file.</summary>
    public long Position { get; private set; }

    /// <summary>Bytes that are left.</summary>
    public readonly long Remaining => _end - Position;

    /// <summary>The next bytes; they are valid until the next call.</summary>
    /// <param name="count">How many, at most <see cref="Remaining"/>.</param>
    /// <exception cref="IOException">The file can't be read.</exception>
    public ReadOnlySpan<byte> Take(int count)
    {
        if (count > _count)
        {
            Fill(count);
        }

        var bytes = _buffer.AsSpan(_first, count);
        _first += count;
        _count -= count;
        Position += count;
        return bytes;
    }

    private void Fill(int count)
    {
        byte[] from = _buffer;
        if (count > _buffer.Length)
        {
            _buffer = new byte[count];
        }

        from.AsSpan(_first, _count).CopyTo(_buffer);
        _first = 0;
        int more = (int)Math.Min(_buffer.Length - _count, Remaining - _count);
        new FileTensorData(_file, Position + _count, more).Read(0, _buffer.AsSpan(_count, more));
        _count += more;
    }
}
