using System.Text;

namespace Condense.Models.Tests.Formats.Onnx;

/// <summary>Writes protocol-buffers messages byte by byte, legal or not.</summary>
public sealed class ProtoMessage
{
    private readonly List<byte> _bytes = [];

    public byte[] ToArray() => [.. _bytes];

    public ProtoMessage Varint(ulong value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            _bytes.Add((byte)((value & 0x7F) | 0x80));
        }

        _bytes.Add((byte)value);
        return this;
    }

    public ProtoMessage Tag(int field, int wireType) => Varint(((ulong)field << 3) | (uint)wireType);

    public ProtoMessage Raw(params ReadOnlySpan<byte> bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }

    public ProtoMessage Int(int field, long value) => Tag(field, 0).Varint(unchecked((ulong)value));

    public ProtoMessage Ints(int field, params ReadOnlySpan<long> values)
    {
        foreach (long value in values)
        {
            Int(field, value);
        }

        return this;
    }

    public ProtoMessage PackedInts(int field, params ReadOnlySpan<long> values)
    {
        var packed = new ProtoMessage();
        foreach (long value in values)
        {
            packed.Varint(unchecked((ulong)value));
        }

        return Bytes(field, packed.ToArray());
    }

    public ProtoMessage Single(int field, float value) => Tag(field, 5).Raw(BitConverter.GetBytes(value));

    public ProtoMessage Double(int field, double value) => Tag(field, 1).Raw(BitConverter.GetBytes(value));

    public ProtoMessage Bytes(int field, params ReadOnlySpan<byte> value) => Tag(field, 2).Varint((ulong)value.Length).Raw(value);

    public ProtoMessage Text(int field, string value) => Bytes(field, Encoding.UTF8.GetBytes(value));

    public ProtoMessage Message(int field, ProtoMessage message) => Bytes(field, message.ToArray());

    public ProtoMessage Messages(int field, params ReadOnlySpan<ProtoMessage> messages)
    {
        foreach (var message in messages)
        {
            Message(field, message);
        }

        return this;
    }
}
