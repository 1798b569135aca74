using Condense.Models.Tensors;

namespace Condense.Models.Formats.Onnx;

/// <summary>
/// Walks the protocol-buffers encoding of a file through one buffer; skipped bytes are not read. Every length is checked against the
/// message that it stands in before anything is done with it.
/// </summary>
/// <remarks>Rules: <see href="https://protobuf.dev/programming-guides/encoding/"/>. Groups are refused: ONNX has none.</remarks>
internal sealed partial class WireReader
{
    private const int BufferBytes = 1 << 16;
    private const int MaxVarintBytes = 10;

    private readonly TensorData _source;
    private readonly ReadBudget _budget;
    private readonly byte[] _buffer;
    private long _bufferStart;
    private int _bufferCount;
    private long _tagStart;

    internal WireReader(TensorData source, ReadBudget budget)
    {
        _source = source;
        _budget = budget;
        _buffer = new byte[(int)Math.Min(BufferBytes, source.ByteLength)];
        End = source.ByteLength;
        Depth = 1;
    }

    /// <summary>The next byte's offset.</summary>
    internal long Position { get; private set; }

    /// <summary>Where the message that is being read ends.</summary>
    internal long End { get; private set; }

    /// <summary>How many messages enclose the position, the file's own included.</summary>
    internal int Depth { get; private set; }

    /// <summary>The number of the field that <see cref="TryReadTag"/> met last.</summary>
    internal int Field { get; private set; }

    /// <summary>Its encoding.</summary>
    internal WireType Type { get; private set; }

    /// <summary>The bytes of the last field from its tag to the position.</summary>
    internal FileRange FieldRange => new(_tagStart, Position - _tagStart);

    /// <summary>Where the last field's tag begins.</summary>
    internal long FieldStart => _tagStart;

    /// <summary>Reads the next field's tag; false at the end of the message.</summary>
    internal bool TryReadTag()
    {
        if (Position == End)
        {
            return false;
        }

        _tagStart = Position;
        ulong tag = ReadVarint();
        if (tag > uint.MaxValue || tag >> 3 == 0)
        {
            throw Broken($"A field's number must be 1 … 536870911, found {tag >> 3}.", _tagStart);
        }

        Field = (int)(tag >> 3);
        Type = (WireType)(tag & 7);
        if (Type is not (WireType.Varint or WireType.Fixed64 or WireType.Bytes or WireType.Fixed32))
        {
            throw Broken($"Field {Field} has wire type {(int)Type}, which ONNX does not use.", _tagStart);
        }

        return true;
    }

    /// <summary>Fails unless the last field has this encoding.</summary>
    internal void Expect(WireType type)
    {
        if (Type != type)
        {
            throw Broken($"Field {Field} is encoded as {Type}, expected {type}.", _tagStart);
        }
    }

    /// <summary>Goes into a message: until <see cref="Leave"/>, fields are its own. O(1).</summary>
    /// <returns>Where the enclosing message ends, for <see cref="Leave"/>.</returns>
    internal long Enter()
    {
        var range = ReadRange();
        long outer = End;
        EnterRange(range, Depth + 1);
        return outer;
    }

    /// <summary>Goes into a message that was passed by before.</summary>
    /// <param name="range">Its bytes.</param>
    /// <param name="depth">Its depth.</param>
    internal void EnterRange(FileRange range, int depth)
    {
        if (depth > _budget.Limits.Depth)
        {
            throw new ModelFormatException(
                ModelFormatError.TooDeep,
                $"Messages are nested more than {_budget.Limits.Depth} deep, the limit of this reader.",
                range.Start);
        }

        Position = range.Start;
        End = range.End;
        Depth = depth;
    }

    /// <summary>Where the reader stands, for <see cref="Return"/>.</summary>
    internal (FileRange Remaining, int Depth) Mark() => (new(Position, End - Position), Depth);

    /// <summary>Goes back to where the reader stood.</summary>
    /// <param name="mark">What <see cref="Mark"/> gave.</param>
    internal void Return((FileRange Remaining, int Depth) mark)
    {
        Position = mark.Remaining.Start;
        End = mark.Remaining.End;
        Depth = mark.Depth;
    }

    /// <summary>Comes back out of a message that was read to its end.</summary>
    /// <param name="outerEnd">What <see cref="Enter"/> gave.</param>
    internal void Leave(long outerEnd)
    {
        End = outerEnd;
        Depth--;
    }

    /// <summary>Goes into a packed list of numbers.</summary>
    /// <returns>Where the enclosing message ends, for <see cref="LeavePacked"/>.</returns>
    internal long EnterPacked()
    {
        var range = ReadRange();
        long outer = End;
        Position = range.Start;
        End = range.End;
        return outer;
    }

    /// <summary>Comes back out of a packed list that was read to its end.</summary>
    /// <param name="outerEnd">What <see cref="EnterPacked"/> gave.</param>
    internal void LeavePacked(long outerEnd) => End = outerEnd;

    /// <summary>The bytes of a length-delimited field, which is passed by.</summary>
    internal FileRange ReadRange()
    {
        Expect(WireType.Bytes);
        ulong length = ReadVarint();
        if (length > (ulong)(End - Position))
        {
            throw length > (ulong)(_source.ByteLength - Position)
                ? new ModelFormatException(
                    ModelFormatError.Truncated,
                    $"Field {Field} declares {length} bytes, the file ends after {_source.ByteLength - Position}. Was it cut in copying?",
                    _tagStart)
                : Broken($"Field {Field} declares {length} bytes, its message has {End - Position} left.", _tagStart);
        }

        var range = new FileRange(Position, (long)length);
        Position = range.End;
        return range;
    }

    /// <summary>Passes by the last field's value.</summary>
    internal void Skip()
    {
        switch (Type)
        {
            case WireType.Varint:
                ReadVarint();
                break;
            case WireType.Fixed64:
                Take(8);
                break;
            case WireType.Fixed32:
                Take(4);
                break;
            default:
                ReadRange();
                break;
        }
    }

    /// <summary>Copies a range to memory; the position stays.</summary>
    /// <param name="range">Its bytes, all within the file.</param>
    internal byte[] Copy(FileRange range)
    {
        _budget.Keep(range.Length, range.Start);
        byte[] bytes = new byte[(int)CheckArrayLength(range)];
        _source.Read(range.Start, bytes);
        return bytes;
    }

    /// <summary>Reads a variable-length integer of at most ten bytes at the position.</summary>
    internal ulong ReadVarint()
    {
        long start = Position;
        ulong value = 0;
        for (int i = 0; i < MaxVarintBytes; i++)
        {
            byte next = TakeByte(start);
            if (i == MaxVarintBytes - 1 && next > 1)
            {
                break;
            }

            value |= (ulong)(next & 0x7F) << (7 * i);
            if (next < 0x80)
            {
                return value;
            }
        }

        throw Broken("An integer takes more than 64 bits.", start);
    }

    private static long CheckArrayLength(FileRange range) =>
        range.Length <= Array.MaxLength
            ? range.Length
            : throw new ModelFormatException(
                ModelFormatError.LimitExceeded,
                $"A field of {range.Length} bytes that is not tensor data can't be kept in memory.",
                range.Start);

    private byte TakeByte(long varintStart)
    {
        if (Position == End)
        {
            throw End == _source.ByteLength
                ? new ModelFormatException(ModelFormatError.Truncated, "The file ends within an integer.", varintStart)
                : Broken("An integer passes the end of its message.", varintStart);
        }

        long index = Position - _bufferStart;
        if (index < 0 || index >= _bufferCount)
        {
            Fill(Position);
            index = 0;
        }

        Position++;
        return _buffer[index];
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > End - Position)
        {
            throw End == _source.ByteLength
                ? new ModelFormatException(ModelFormatError.Truncated, "The file ends within a number.", Position)
                : Broken("A number passes the end of its message.", Position);
        }

        var bytes = Buffered(Position, count);
        Position += count;
        return bytes;
    }

    private ReadOnlySpan<byte> Buffered(long start, int count)
    {
        if (start < _bufferStart || start + count > _bufferStart + _bufferCount)
        {
            Fill(start);
        }

        return _buffer.AsSpan((int)(start - _bufferStart), count);
    }

    private void Fill(long start)
    {
        _bufferStart = start;
        _bufferCount = (int)Math.Min(_buffer.Length, _source.ByteLength - start);
        _source.Read(start, _buffer.AsSpan(0, _bufferCount));
    }

    private static ModelFormatException Broken(string message, long offset) => new(ModelFormatError.InvalidEncoding, message, offset);
}
