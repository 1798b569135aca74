using Condense.Models.Rewriting;
using Condense.Models.Tensors;

namespace Condense.Models.Formats.Numpy;

/// <summary>
/// A tensor as an NPY file that is never written: its bytes are made when they are read, from any place on. What NumPy has no type for becomes the
/// smallest of its types that holds every value exactly: floats of fewer bits f32, integers of 4 and 2 bits those of 8.
/// </summary>
public sealed class NpyStream : Stream
{
    private readonly byte[] _header;
    private readonly TensorData _data;
    private readonly IDisposable[] _owned;
    private long _position;

    /// <summary>Takes a tensor.</summary>
    /// <param name="tensor">The tensor; not text.</param>
    /// <param name="owned">What to dispose with the stream, in this order.</param>
    /// <exception cref="ArgumentException">The tensor holds text, or has more than 64 dimensions.</exception>
    public NpyStream(Tensor tensor, params IDisposable[] owned)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        ArgumentNullException.ThrowIfNull(owned);
        var widened = Widen(tensor);
        _header = NpyHeader.Write(widened);
        _data = widened.Data;
        _owned = owned;
    }

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => true;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Length => _header.Length + _data.ByteLength;

    /// <inheritdoc/>
    public override long Position
    {
        get => _position;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            _position = value;
        }
    }

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        int count = (int)Math.Min(buffer.Length, Math.Max(0, Length - _position));
        var rest = buffer[..count];
        if (_position < _header.Length)
        {
            var head = _header.AsSpan((int)_position);
            head = head[..Math.Min(head.Length, rest.Length)];
            head.CopyTo(rest);
            rest = rest[head.Length..];
        }

        if (!rest.IsEmpty)
        {
            _data.Read(_position + count - rest.Length - _header.Length, rest);
        }

        _position += count;
        return count;
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.FromResult(Read(buffer.Span));
    }

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => _position + offset,
        _ => Length + offset,
    };

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            foreach (var item in _owned)
            {
                item.Dispose();
            }
        }

        base.Dispose(disposing);
    }

    private static Tensor Widen(Tensor tensor) => tensor.DType switch
    {
        DType.I4 or DType.I2 => Unpack(tensor, DType.I8, signed: true),
        DType.U4 or DType.U2 => Unpack(tensor, DType.U8, signed: false),
        _ when tensor.DType.IsFloatingPoint() && NpyDTypes.NameOf(tensor.DType) is null =>
            tensor with { DType = DType.F32, Data = new WidenedTensorData(tensor) },
        _ => tensor,
    };

    private static Tensor Unpack(Tensor tensor, DType dtype, bool signed) => tensor with
    {
        DType = dtype,
        Data = new UnpackedTensorData(tensor.Data, new PackedNumbers(tensor.DType.BitsPerElement(), signed, tensor.Shape)),
    };
}
