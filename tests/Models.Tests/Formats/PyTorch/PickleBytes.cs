using System.Buffers.Binary;
using System.Text;

namespace Condense.Models.Tests.Formats.PyTorch;

/// <summary>Writes pickles instruction by instruction, sound and unsound ones.</summary>
internal sealed class PickleBytes
{
    private readonly List<byte> _bytes = [];

    /// <summary>What is written so far.</summary>
    public byte[] ToArray() => [.. _bytes];

    /// <summary>How many bytes are written so far.</summary>
    public int Length => _bytes.Count;

    /// <summary>An instruction, and what stands behind it.</summary>
    public PickleBytes Op(char code, params ReadOnlySpan<byte> argument)
    {
        _bytes.Add((byte)code);
        _bytes.AddRange(argument);
        return this;
    }

    /// <summary>Several instructions without arguments.</summary>
    public PickleBytes Ops(string codes)
    {
        _bytes.AddRange(Encoding.Latin1.GetBytes(codes));
        return this;
    }

    /// <summary>PROTO.</summary>
    public PickleBytes Protocol(byte protocol = 2) => Op('\x80', protocol);

    /// <summary>GLOBAL.</summary>
    public PickleBytes Global(string module, string name) => Op('c', Encoding.UTF8.GetBytes($"{module}\n{name}\n"));

    /// <summary>BINUNICODE.</summary>
    public PickleBytes Text(string text) => Sized('X', Encoding.UTF8.GetBytes(text));

    /// <summary>An instruction with a length of 4 bytes.</summary>
    public PickleBytes Sized(char code, ReadOnlySpan<byte> content)
    {
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, content.Length);
        return Op(code, [.. length, .. content]);
    }

    /// <summary>An integer: BININT, or LONG1 where that is too small.</summary>
    public PickleBytes Int(long value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        return value is >= int.MinValue and <= int.MaxValue ? Op('J', bytes[..4]) : Op('\x8A', [8, .. bytes]);
    }

    /// <summary>A tuple of integers.</summary>
    public PickleBytes Ints(params ReadOnlySpan<long> values)
    {
        Op('(');
        foreach (long value in values)
        {
            Int(value);
        }

        return Op('t');
    }

    /// <summary>A storage: the persistent id that names it.</summary>
    public PickleBytes Storage(string type, string key, long count) =>
        Op('(').Text("storage").Global("torch", type).Text(key).Text("cpu").Int(count).Op('t').Op('Q');

    /// <summary>A tensor of the whole or of a part of a storage.</summary>
    public PickleBytes Tensor(string type, string key, long count, long first, long[] sizes, long[] strides) =>
        Global("torch._utils", "_rebuild_tensor_v2").Op('(').Storage(type, key, count).Int(first).Ints(sizes).Ints(strides).Ops("\x89N").Op('t').Op('R');

    /// <summary>A tensor of f32 in one dimension.</summary>
    public PickleBytes Floats(string key, long count) => Tensor("FloatStorage", key, count, 0, [count], [1]);

    /// <summary>A state dictionary: names, each with what writes its value.</summary>
    public static byte[] Dictionary(params ReadOnlySpan<(string Name, Action<PickleBytes> Write)> entries)
    {
        var pickle = new PickleBytes().Protocol().Op('}').Op('(');
        foreach (var (name, write) in entries)
        {
            write(pickle.Text(name));
        }

        return pickle.Ops("u.").ToArray();
    }
}
