using System.Buffers.Binary;
using System.Text;
using Condense.Models.Formats.Zip;
using Condense.Models.Tensors;

namespace Condense.Models.Formats.PyTorch.Pickle;

/// <summary>The bytes of a pickle, one after another through a buffer of 64 KiB.</summary>
/// <param name="data">The bytes.</param>
/// <param name="fileOffset">Where the first of them stands in the file, for messages.</param>
/// <param name="budget">What is left to take.</param>
internal sealed class PickleSource(TensorData data, long fileOffset, PickleBudget budget)
{
    private const int BufferBytes = 1 << 16;

    private static readonly UTF8Encoding s_strictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly byte[] _buffer = new byte[(int)Math.Min(BufferBytes, data.ByteLength)];
    private long _bufferStart;
    private int _filled;
    private int _next;

    /// <summary>The next byte's place among the pickle's.</summary>
    public long Position => _bufferStart + _next;

    /// <summary>The next byte's place in the file.</summary>
    public long Offset => fileOffset + Position;

    /// <summary>How many bytes are left.</summary>
    public long Remaining => data.ByteLength - Position;

    /// <summary>What is left to take.</summary>
    public PickleBudget Budget => budget;

    /// <summary>Passes over bytes.</summary>
    /// <param name="count">How many, 0 … <see cref="Remaining"/>.</param>
    public void Skip(long count)
    {
        if (count <= _filled - _next)
        {
            _next += (int)count;
            return;
        }

        _bufferStart = Position + count;
        _filled = _next = 0;
    }

    /// <summary>The next byte.</summary>
    /// <exception cref="ModelFormatException">There is none.</exception>
    public byte ReadByte()
    {
        Fill(1);
        return _buffer[_next++];
    }

    /// <summary>An unsigned integer of 2 bytes, little-endian.</summary>
    /// <exception cref="ModelFormatException">The pickle is cut.</exception>
    public ushort ReadUInt16() => BinaryPrimitives.ReadUInt16LittleEndian(ReadSmall(sizeof(ushort)));

    /// <summary>A signed integer of 4 bytes, little-endian.</summary>
    /// <exception cref="ModelFormatException">The pickle is cut.</exception>
    public int ReadInt32() => BinaryPrimitives.ReadInt32LittleEndian(ReadSmall(sizeof(int)));

    /// <summary>An unsigned integer of 4 bytes, little-endian.</summary>
    /// <exception cref="ModelFormatException">The pickle is cut.</exception>
    public uint ReadUInt32() => BinaryPrimitives.ReadUInt32LittleEndian(ReadSmall(sizeof(uint)));

    /// <summary>A signed integer of 8 bytes, little-endian.</summary>
    /// <exception cref="ModelFormatException">The pickle is cut.</exception>
    public long ReadInt64() => BinaryPrimitives.ReadInt64LittleEndian(ReadSmall(sizeof(long)));

    /// <summary>A float of 8 bytes, big-endian as pickles have it.</summary>
    /// <exception cref="ModelFormatException">The pickle is cut.</exception>
    public double ReadDouble() => BinaryPrimitives.ReadDoubleBigEndian(ReadSmall(sizeof(double)));

    /// <summary>Bytes into an array of their own.</summary>
    /// <param name="count">How many; checked against what is left before anything is allocated.</param>
    /// <exception cref="ModelFormatException">The pickle is cut, or the limits are passed.</exception>
    public byte[] ReadBytes(long count)
    {
        Demand(count);
        budget.Keep(count, Offset);
        byte[] bytes = new byte[count];
        int done = 0;
        while (done < bytes.Length)
        {
            Fill(1);
            int part = Math.Min(bytes.Length - done, _filled - _next);
            _buffer.AsSpan(_next, part).CopyTo(bytes.AsSpan(done));
            _next += part;
            done += part;
        }

        return bytes;
    }

    /// <summary>
    /// Passes over bytes, and tells where they are. Nothing is allocated for them, unless the pickle is compressed: arrays that are read by turns would
    /// unpack it anew each time, so that its bytes are kept.
    /// </summary>
    /// <param name="count">How many; checked against what is left.</param>
    /// <exception cref="ModelFormatException">The pickle is cut, or the limits are passed.</exception>
    public TensorData TakeBytes(long count)
    {
        if (data is DeflatedEntryData)
        {
            return new MemoryTensorData(ReadBytes(count));
        }

        Demand(count);
        var bytes = new SliceTensorData(data, Position, count);
        Skip(count);
        return bytes;
    }

    /// <summary>UTF-8 text.</summary>
    /// <param name="count">Its bytes.</param>
    /// <exception cref="ModelFormatException">The pickle is cut, the text is not UTF-8, or the limits are passed.</exception>
    public string ReadText(long count)
    {
        Demand(count);
        long start = Offset;
        budget.Keep((2 * count) + PickleBudget.ValueBytes, start);
        if (count > _buffer.Length)
        {
            return Decode(ReadBytes(count), start);
        }

        Fill((int)count);
        _next += (int)count;
        return Decode(_buffer.AsSpan(_next - (int)count, (int)count), start);
    }

    /// <summary>The bytes up to a line feed, which is passed over. Good until the next reading.</summary>
    /// <exception cref="ModelFormatException">There is no line feed, or the line is longer than a name may be.</exception>
    public ReadOnlySpan<byte> ReadLine()
    {
        int most = (int)Math.Min(Math.Min(budget.Limits.NameBytes, _buffer.Length - 1) + 1L, Remaining);
        for (int searched = 0; ; searched = _filled - _next)
        {
            int length = _buffer.AsSpan(_next + searched, _filled - _next - searched).IndexOf((byte)'\n');
            if (length >= 0)
            {
                var line = _buffer.AsSpan(_next, searched + length);
                _next += line.Length + 1;
                return line;
            }

            if (_filled - _next >= most)
            {
                throw Remaining <= most
                    ? Cut("a line of text that has no end")
                    : new ModelFormatException(ModelFormatError.LimitExceeded, $"A line of text has more than {most - 1} bytes, the most that are read.", Offset);
            }

            Fill(_filled - _next + 1);
        }
    }

    /// <summary>Text from bytes.</summary>
    /// <param name="bytes">UTF-8.</param>
    /// <param name="offset">Where they stand in the file.</param>
    /// <exception cref="ModelFormatException">They are not UTF-8.</exception>
    public static string Decode(ReadOnlySpan<byte> bytes, long offset)
    {
        try
        {
            return s_strictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException exception)
        {
            throw new ModelFormatException(ModelFormatError.InvalidPickle, "A text in the pickle is not valid UTF-8.", offset, innerException: exception);
        }
    }

    private ReadOnlySpan<byte> ReadSmall(int count)
    {
        Fill(count);
        _next += count;
        return _buffer.AsSpan(_next - count, count);
    }

    private void Demand(long count)
    {
        if (count < 0 || count > Remaining)
        {
            throw Cut($"a value of {unchecked((ulong)count)} bytes");
        }
    }

    // Makes sure that as many bytes, at most the buffer's length, are in the buffer. What is left of it moves to the front.
    private void Fill(int count)
    {
        if (count <= _filled - _next)
        {
            return;
        }

        if (count > Remaining)
        {
            throw Cut("an instruction");
        }

        int kept = _filled - _next;
        _buffer.AsSpan(_next, kept).CopyTo(_buffer);
        _bufferStart += _next;
        _next = 0;
        int read = (int)Math.Min(_buffer.Length - kept, data.ByteLength - _bufferStart - kept);
        data.Read(_bufferStart + kept, _buffer.AsSpan(kept, read));
        _filled = kept + read;
    }

    private ModelFormatException Cut(string what) =>
        new(ModelFormatError.Truncated, $"The pickle ends inside {what}: {Remaining} bytes are left. Was the file cut?", Offset);
}
