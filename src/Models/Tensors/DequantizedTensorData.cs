using System.Runtime.InteropServices;

namespace Condense.Models.Tensors;

/// <summary>
/// What <c>DequantizeLinear</c> makes of integer codes, as f32: <c>(code − zero point) · scale</c>, in f32 as the operator computes it. Scales and zero
/// points are read once, codes through a small buffer.
/// </summary>
/// <param name="codes">I8, U8, I4 or U4.</param>
/// <param name="scales">F32: one, one for each place on the axis, or one for each block on it.</param>
/// <param name="zeros">Of the codes' type and the scales' shape; null when they are all 0.</param>
/// <param name="axis">The axis along which scales differ; −1 when there is one scale.</param>
/// <param name="blockSize">How many neighbours on the axis share a scale; 1 where each has its own.</param>
internal sealed class DequantizedTensorData(Tensor codes, Tensor scales, Tensor? zeros, int axis, long blockSize) : TensorData
{
    // Even, so that codes of 4 bits begin on a byte.
    private const int ChunkElements = 1 << 14;

    private readonly Lazy<(float[] Scales, int[] Zeros)> _table = new(() => ReadTable(scales, zeros));
    private readonly long _inner = axis < 0 ? 1 : Product(codes.Shape, axis + 1);
    private readonly long _size = axis < 0 ? 1 : codes.Shape[axis];

    /// <inheritdoc/>
    public override long ByteLength => codes.Shape.ElementCount * sizeof(float);

    /// <inheritdoc/>
    public override void Read(long offset, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(destination.Length, ByteLength - offset, nameof(destination));
        float[] values = new float[(int)Math.Min(ChunkElements, (destination.Length / sizeof(float)) + 2)];
        int[] numbers = new int[values.Length];
        while (destination.Length > 0)
        {
            // A part may begin and end within an element.
            long first = offset / sizeof(float);
            int skipped = (int)(offset % sizeof(float));
            int count = (int)Math.Min(values.Length, ((long)skipped + destination.Length + sizeof(float) - 1) / sizeof(float));
            ReadCodes(codes, first, numbers.AsSpan(0, count));
            Widen(first, numbers.AsSpan(0, count), values);
            var bytes = MemoryMarshal.AsBytes(values.AsSpan(0, count))[skipped..];
            bytes = bytes[..Math.Min(bytes.Length, destination.Length)];
            bytes.CopyTo(destination);
            destination = destination[bytes.Length..];
            offset += bytes.Length;
        }
    }

    private static long Product(TensorShape shape, int from)
    {
        long product = 1;
        foreach (long size in shape.Dimensions.AsSpan()[from..])
        {
            product *= size;
        }

        return product;
    }

    private static (float[] Scales, int[] Zeros) ReadTable(Tensor scales, Tensor? zeros)
    {
        float[] factors = new float[scales.Shape.ElementCount];
        scales.Data.Read(0, MemoryMarshal.AsBytes(factors.AsSpan()));
        int[] points = new int[factors.Length];
        if (zeros is not null)
        {
            ReadCodes(zeros, 0, points);
        }

        return (factors, points);
    }

    private static void ReadCodes(Tensor tensor, long first, Span<int> destination)
    {
        bool nibbles = tensor.DType is DType.I4 or DType.U4;
        long start = nibbles ? first / 2 : first;
        long end = nibbles ? (first + destination.Length + 1) / 2 : first + destination.Length;
        byte[] bytes = new byte[end - start];
        tensor.Data.Read(start, bytes);
        for (int i = 0; i < destination.Length; i++)
        {
            long element = first + i;
            int nibble = nibbles ? (bytes[(element / 2) - start] >> (element % 2 == 0 ? 0 : 4)) & 0xF : 0;
            destination[i] = tensor.DType switch
            {
                DType.I8 => unchecked((sbyte)bytes[i]),
                DType.U8 => bytes[i],
                DType.I4 => nibble < 8 ? nibble : nibble - 16,
                _ => nibble,
            };
        }
    }

    private void Widen(long first, ReadOnlySpan<int> numbers, Span<float> values)
    {
        var (factors, points) = _table.Value;
        if (axis < 0)
        {
            for (int i = 0; i < numbers.Length; i++)
            {
                values[i] = (numbers[i] - points[0]) * factors[0];
            }

            return;
        }

        // Where the first element is: how far behind the axis, where on it, and in which run in front of it. Scales of blocks run with what is behind the axis.
        long behind = first % _inner;
        long place = first / _inner % _size;
        long before = first / _inner / _size;
        long blocks = (_size + blockSize - 1) / blockSize;
        bool perBlock = scales.Shape.Rank > 1;
        for (int i = 0; i < numbers.Length; i++)
        {
            long table = perBlock ? (((before * blocks) + (place / blockSize)) * _inner) + behind : place;
            values[i] = (numbers[i] - points[table]) * factors[table];
            if (++behind == _inner)
            {
                behind = 0;
                if (++place == _size)
                {
                    place = 0;
                    before++;
                }
            }
        }
    }
}
