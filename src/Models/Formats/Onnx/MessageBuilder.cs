using System.Numerics;
using System.Text;
using Condense.Models.Tensors;

namespace Condense.Models.Formats.Onnx;

/// <summary>
/// Encodes protocol-buffers messages from their last byte to their first. So a message's length is known when its prefix is due, and nothing is
/// measured twice. Elements of tensors are referred to, not copied.
/// </summary>
internal sealed class MessageBuilder
{
    private const int MinBlock = 1 << 8;
    private const int MaxBlock = 1 << 16;

    // Last first. A piece is part of a block of bytes, a tensor's elements, or a message that was built apart.
    private readonly List<(byte[]? Block, int Start, int End, TensorData? Data, MessageBuilder? Message)> _pieces = [];
    private byte[] _block = [];
    private int _start;
    private int _end;

    /// <summary>Bytes so far, elements of tensors included.</summary>
    internal long Length { get; private set; }

    /// <summary>Puts a field with an integer in front.</summary>
    internal void AddInt64(int field, long value)
    {
        AddVarint(unchecked((ulong)value));
        AddTag(field, WireType.Varint);
    }

    /// <summary>Puts a field with a number in front.</summary>
    internal void AddSingle(int field, float value)
    {
        BitConverter.TryWriteBytes(Claim(sizeof(float)), value);
        AddTag(field, WireType.Fixed32);
    }

    /// <summary>Puts a field with text in front.</summary>
    internal void AddText(int field, string text)
    {
        int count = Encoding.UTF8.GetByteCount(text);
        Encoding.UTF8.GetBytes(text, Claim(count));
        AddLength(field, count);
    }

    /// <summary>Puts a field with text in front, unless the text is empty.</summary>
    internal void AddTextIfAny(int field, string text)
    {
        if (text.Length > 0)
        {
            AddText(field, text);
        }
    }

    /// <summary>Puts a field with bytes in front.</summary>
    internal void AddBytes(int field, ReadOnlySpan<byte> bytes)
    {
        AddRaw(bytes);
        AddLength(field, bytes.Length);
    }

    /// <summary>Puts encoded fields in front.</summary>
    internal void AddRaw(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Claim(bytes.Length));

    /// <summary>Puts a tensor's elements in front, which are read when the message is written.</summary>
    internal void AddData(TensorData data)
    {
        CloseBlock();
        _pieces.Add((null, 0, 0, data, null));
        Length += data.ByteLength;
    }

    /// <summary>Puts a field with a message that was built apart in front.</summary>
    internal void AddMessage(int field, MessageBuilder message)
    {
        CloseBlock();
        message.CloseBlock();
        _pieces.Add((null, 0, 0, null, message));
        Length += message.Length;
        AddLength(field, message.Length);
    }

    /// <summary>Makes everything that was added since a mark one field.</summary>
    /// <param name="field">The field's number.</param>
    /// <param name="mark">What <see cref="Length"/> was.</param>
    internal void AddPrefix(int field, long mark) => AddLength(field, Length - mark);

    /// <summary>Writes the message from its first byte to its last.</summary>
    internal async Task WriteAsync(Stream destination, CancellationToken cancellationToken)
    {
        foreach (var (block, data) in InOrder())
        {
            if (data is null)
            {
                await destination.WriteAsync(block, cancellationToken);
            }
            else
            {
                await data.CopyToAsync(destination, cancellationToken);
            }
        }
    }

    /// <summary>The whole message in memory.</summary>
    internal byte[] ToArray()
    {
        byte[] bytes = new byte[Length];
        int position = 0;
        foreach (var (block, data) in InOrder())
        {
            int count = data is null ? block.Length : (int)data.ByteLength;
            var destination = bytes.AsSpan(position, count);
            if (data is null)
            {
                block.Span.CopyTo(destination);
            }
            else
            {
                data.Read(0, destination);
            }

            position += count;
        }

        return bytes;
    }

    private IEnumerable<(ReadOnlyMemory<byte> Block, TensorData? Data)> InOrder()
    {
        CloseBlock();
        var open = new Stack<(MessageBuilder Message, int Next)>();
        open.Push((this, _pieces.Count - 1));
        while (open.TryPop(out var top))
        {
            if (top.Next < 0)
            {
                continue;
            }

            var piece = top.Message._pieces[top.Next];
            open.Push((top.Message, top.Next - 1));
            if (piece.Message is { } inner)
            {
                open.Push((inner, inner._pieces.Count - 1));
            }
            else
            {
                yield return (piece.Block.AsMemory(piece.Start, piece.End - piece.Start), piece.Data);
            }
        }
    }

    private void AddLength(int field, long length)
    {
        AddVarint((ulong)length);
        AddTag(field, WireType.Bytes);
    }

    private void AddTag(int field, WireType type) => AddVarint(((ulong)field << 3) | (ulong)type);

    private void AddVarint(ulong value)
    {
        // Seven bits in a byte, the lowest first; zero takes one byte.
        int count = Math.Max(1, (BitOperations.Log2(value) + 7) / 7);
        var bytes = Claim(count);
        for (int i = 0; i < count; i++)
        {
            bytes[i] = (byte)((value & 0x7F) | (i < count - 1 ? 0x80u : 0));
            value >>= 7;
        }
    }

    private Span<byte> Claim(int count)
    {
        if (count > _start)
        {
            CloseBlock();
            int size = Math.Max(count, Math.Clamp((int)Math.Min(Length, MaxBlock), MinBlock, MaxBlock));
            _block = new byte[size];
            _start = _end = size;
        }

        _start -= count;
        Length += count;
        return _block.AsSpan(_start, count);
    }

    private void CloseBlock()
    {
        if (_start < _end)
        {
            _pieces.Add((_block, _start, _end, null, null));
        }

        // What is left of the block, in front, goes on to be used.
        _end = _start;
    }
}
