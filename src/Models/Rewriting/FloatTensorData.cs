using System.Runtime.InteropServices;
using Condense.Models.Tensors;

namespace Condense.Models.Rewriting;

/// <summary>Numbers of a structure as bytes of f32, f16 or bf16, converted when they are read. They are of that precision already, so nothing is lost.</summary>
/// <param name="values">The numbers; not copied.</param>
/// <param name="type">f32, f16 or bf16.</param>
internal sealed class FloatTensorData(float[] values, DType type) : TensorData
{
    // Floats on their way through 16 bits: small enough for the stack, large enough to hide the loop around them.
    private const int ChunkElements = 1024;

    /// <inheritdoc/>
    public override long ByteLength => (long)values.Length * Size(type);

    /// <summary>Reads all numbers of a tensor.</summary>
    /// <param name="data">The tensor's bytes.</param>
    /// <param name="type">f32, f16 or bf16.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are more than an array holds.</exception>
    public static float[] ReadAll(TensorData data, DType type)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(data.ByteLength / Size(type), Array.MaxLength, nameof(data));
        float[] values = new float[data.ByteLength / Size(type)];
        Span<ushort> halves = stackalloc ushort[ChunkElements];
        int step = type == DType.F32 ? 1 << 18 : ChunkElements;
        for (long start = 0; start < values.Length; start += step)
        {
            var chunk = values.AsSpan((int)start, (int)Math.Min(step, values.Length - start));
            long offset = start * Size(type);
            if (type == DType.F32)
            {
                data.Read(offset, MemoryMarshal.AsBytes(chunk));
                continue;
            }

            data.Read(offset, MemoryMarshal.AsBytes(halves[..chunk.Length]));
            for (int i = 0; i < chunk.Length; i++)
            {
                chunk[i] = type == DType.F16 ? (float)BitConverter.UInt16BitsToHalf(halves[i]) : BitConverter.UInt32BitsToSingle((uint)halves[i] << 16);
            }
        }

        return values;
    }

    /// <inheritdoc/>
    public override void Read(long offset, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(destination.Length, ByteLength - offset, nameof(destination));
        Span<ushort> halves = stackalloc ushort[ChunkElements];
        int size = Size(type);
        while (destination.Length > 0)
        {
            // A part may begin and end within an element.
            int first = (int)(offset / size);
            int skipped = (int)(offset % size);
            int count = (int)Math.Min(ChunkElements, ((long)skipped + destination.Length + size - 1) / size);
            var chunk = values.AsSpan(first, count);
            var bytes = (type == DType.F32 ? MemoryMarshal.AsBytes(chunk) : Narrow(chunk, halves))[skipped..];
            bytes = bytes[..Math.Min(bytes.Length, destination.Length)];
            bytes.CopyTo(destination);
            destination = destination[bytes.Length..];
            offset += bytes.Length;
        }
    }

    private static int Size(DType type) => type == DType.F32 ? 4 : 2;

    private Span<byte> Narrow(ReadOnlySpan<float> chunk, Span<ushort> halves)
    {
        for (int i = 0; i < chunk.Length; i++)
        {
            halves[i] = type == DType.F16 ? BitConverter.HalfToUInt16Bits((Half)chunk[i]) : (ushort)(BitConverter.SingleToUInt32Bits(chunk[i]) >> 16);
        }

        return MemoryMarshal.AsBytes(halves[..chunk.Length]);
    }
}
