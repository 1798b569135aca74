using System.Runtime.InteropServices;

namespace Condense.Models.Tensors;

/// <summary>Any run of elements of a floating-point tensor as f32, through one small buffer that is kept between calls.</summary>
/// <param name="tensor">A tensor of a floating-point type.</param>
internal sealed class FloatElements(Tensor tensor)
{
    // Large enough that a read from the file is worth its call, small enough to stay in the second-level cache beside what is decoded.
    private const int BufferBytes = 1 << 18;

    // Elements of 4 and 6 bits begin on a byte at every fourth of them.
    private const int PackedGroup = 4;

    // An array of floats may have more than 2³¹ bytes; a span of bytes may not.
    private const int MaxSpanElements = 1 << 28;

    private readonly int _bits = tensor.DType.BitsPerElement();
    private byte[] _buffer = [];

    /// <summary>Reads elements; f32 goes straight from the file into the destination.</summary>
    /// <param name="first">The first element.</param>
    /// <param name="destination">The values; its length says how many.</param>
    /// <exception cref="IOException">The file can't be read.</exception>
    public void Read(long first, Span<float> destination)
    {
        if (tensor.DType == DType.F32)
        {
            while (destination.Length > 0)
            {
                var part = destination[..Math.Min(destination.Length, MaxSpanElements)];
                tensor.Data.Read(first * sizeof(float), MemoryMarshal.AsBytes(part));
                first += part.Length;
                destination = destination[part.Length..];
            }

            return;
        }

        if (_buffer.Length == 0)
        {
            _buffer = new byte[(int)Math.Min(BufferBytes, tensor.Data.ByteLength)];
        }

        while (destination.Length > 0)
        {
            int skip = _bits < 8 ? (int)(first % PackedGroup) : 0;
            long start = (first - skip) * _bits / 8;
            int count = (int)Math.Min(destination.Length, ((long)_buffer.Length * 8 / _bits) - skip);
            var bytes = _buffer.AsSpan(0, (int)((((long)(skip + count) * _bits) + 7) / 8));
            tensor.Data.Read(start, bytes);
            FloatDecoder.Decode(tensor.DType, bytes, skip, destination[..count]);
            first += count;
            destination = destination[count..];
        }
    }
}
