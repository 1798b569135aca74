using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;
using Condense.Models.Tensors;

namespace Condense.Models.Tests.Formats.Safetensors;

/// <summary>Safetensors files as bytes, put together by hand, and models in memory to write.</summary>
internal static class SafetensorsBytes
{
    /// <summary>The length, the header as it is given, and data.</summary>
    /// <param name="header">The header's text.</param>
    /// <param name="data">What follows it.</param>
    public static byte[] Of(string header, params byte[] data) => Of(Encoding.UTF8.GetBytes(header), data);

    /// <summary>The length, the header as it is given, and data.</summary>
    /// <param name="header">The header's bytes.</param>
    /// <param name="data">What follows it.</param>
    public static byte[] Of(byte[] header, byte[] data)
    {
        byte[] length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        return [.. length, .. header, .. data];
    }

    /// <summary>A model in memory.</summary>
    /// <param name="tensors">Its tensors.</param>
    /// <param name="metadata">Its metadata.</param>
    public static Model Model(IEnumerable<Tensor> tensors, params (string Key, string Value)[] metadata) => new(
        ModelFormat.Safetensors,
        [.. tensors],
        program: null,
        metadata.ToDictionary(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal),
        ImmutableArray<IDisposable>.Empty);

    /// <summary>A tensor of bytes that count up.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="dtype">Its type.</param>
    /// <param name="dimensions">Its shape.</param>
    public static Tensor Tensor(string name, DType dtype, params long[] dimensions)
    {
        var shape = new TensorShape(dimensions);
        byte[] bytes = [.. Enumerable.Range(name.Length, (int)dtype.ByteLength(shape)).Select(value => (byte)value)];
        return new Tensor(name, dtype, shape, new MemoryTensorData(bytes));
    }

    /// <summary>All bytes of a tensor.</summary>
    /// <param name="tensor">The tensor.</param>
    public static byte[] BytesOf(Tensor tensor)
    {
        byte[] bytes = new byte[tensor.Data.ByteLength];
        tensor.Data.Read(0, bytes);
        return bytes;
    }
}
