using System.Globalization;

namespace Condense.Models.Tests.Formats.Onnx;

/// <summary>The messages of ONNX files, as other tools would write them.</summary>
public static class OnnxMessages
{
    public const int F32 = 1;
    public const int I64 = 7;
    public const int Text = 8;

    public static ProtoMessage ModelOf(ProtoMessage graph, long opset = 17, long irVersion = 8) =>
        new ProtoMessage().Int(1, irVersion).Message(7, graph).Message(8, new ProtoMessage().Text(1, "").Int(2, opset));

    public static ProtoMessage GraphOf(params ReadOnlySpan<ProtoMessage> nodes) => new ProtoMessage().Messages(1, nodes).Text(2, "main");

    public static ProtoMessage Node(string opType, string[] inputs, string[] outputs, string name = "", params ReadOnlySpan<ProtoMessage> attributes)
    {
        var node = new ProtoMessage();
        foreach (string input in inputs)
        {
            node.Text(1, input);
        }

        foreach (string output in outputs)
        {
            node.Text(2, output);
        }

        if (name.Length > 0)
        {
            node.Text(3, name);
        }

        return node.Text(4, opType).Messages(5, attributes);
    }

    public static ProtoMessage IntAttribute(string name, long value) => new ProtoMessage().Text(1, name).Int(3, value).Int(20, 2);

    public static ProtoMessage IntsAttribute(string name, params ReadOnlySpan<long> values) => new ProtoMessage().Text(1, name).Ints(8, values).Int(20, 7);

    public static ProtoMessage TensorAttribute(string name, ProtoMessage tensor) => new ProtoMessage().Text(1, name).Message(5, tensor).Int(20, 4);

    public static ProtoMessage GraphAttribute(string name, ProtoMessage graph) => new ProtoMessage().Text(1, name).Message(6, graph).Int(20, 5);

    public static ProtoMessage TensorHeader(string name, int dataType, params ReadOnlySpan<long> dims) =>
        new ProtoMessage().Ints(1, dims).Int(2, dataType).Text(8, name);

    public static ProtoMessage FloatTensor(string name, params ReadOnlySpan<long> dims)
    {
        long count = 1;
        foreach (long dimension in dims)
        {
            count *= dimension;
        }

        byte[] raw = new byte[4 * count];
        for (int i = 0; i < count; i++)
        {
            BitConverter.TryWriteBytes(raw.AsSpan(4 * i), (float)i / 8);
        }

        return TensorHeader(name, F32, dims).Bytes(9, raw);
    }

    public static ProtoMessage LongTensor(string name, params long[] values) =>
        TensorHeader(name, I64, values.Length).Bytes(9, System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan()).ToArray());

    public static ProtoMessage ExternalTensor(string name, long rows, long columns, params ReadOnlySpan<(string Key, string Value)> entries)
    {
        var tensor = TensorHeader(name, F32, rows, columns);
        foreach (var (key, value) in entries)
        {
            tensor.Message(13, Entry(key, value));
        }

        return tensor.Int(14, 1);
    }

    public static ProtoMessage Entry(string key, string value) => new ProtoMessage().Text(1, key).Text(2, value);

    public static ProtoMessage Value(string name, int elementType = F32, params ReadOnlySpan<long> dims)
    {
        var shape = new ProtoMessage();
        foreach (long dimension in dims)
        {
            var variable = new ProtoMessage().Text(2, string.Create(CultureInfo.InvariantCulture, $"n{-dimension}"));
            shape.Message(1, dimension < 0 ? variable : new ProtoMessage().Int(1, dimension));
        }

        return new ProtoMessage().Text(1, name).Message(2, new ProtoMessage().Message(1, new ProtoMessage().Int(1, elementType).Message(2, shape)));
    }
}
