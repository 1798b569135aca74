using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace Condense.Models.Tensors;

/// <summary>Turns the bytes of floating-point tensors into f32. Exact, but for f64, which rounds to nearest, ties to even.</summary>
internal static class FloatDecoder
{
    /// <summary>Converts elements. O(elements), no allocation.</summary>
    /// <param name="dtype">A floating-point type.</param>
    /// <param name="source">The elements' bytes, little-endian; those of fewer than 8 bits packed from the lowest bit up.</param>
    /// <param name="skip">Elements of the first byte that come before the wanted ones; 0 for types of whole bytes.</param>
    /// <param name="destination">The values; its length says how many.</param>
    /// <exception cref="ArgumentException">Not a floating-point type.</exception>
    public static void Decode(DType dtype, ReadOnlySpan<byte> source, int skip, Span<float> destination)
    {
        switch (dtype)
        {
            case DType.F64:
                TensorPrimitives.ConvertTruncating(MemoryMarshal.Cast<byte, double>(source)[..destination.Length], destination);
                break;
            case DType.F32:
                MemoryMarshal.Cast<byte, float>(source)[..destination.Length].CopyTo(destination);
                break;
            case DType.F16:
                TensorPrimitives.ConvertToSingle(MemoryMarshal.Cast<byte, Half>(source)[..destination.Length], destination);
                break;
            case DType.BF16:
                DecodeBFloat16(MemoryMarshal.Cast<byte, ushort>(source)[..destination.Length], destination);
                break;
            case DType.F6E2M3 or DType.F6E3M2 or DType.F4E2M1:
                DecodePacked(dtype.BitsPerElement(), SmallFloat.Values(dtype), source, skip, destination);
                break;
            default:
                DecodeBytes(SmallFloat.Values(dtype), source[..destination.Length], destination);
                break;
        }
    }

    // A bfloat16 is the upper half of an f32. A vector of 16-bit codes widens into two of 32 bits; the rest goes one by one, with the same result.
    private static void DecodeBFloat16(ReadOnlySpan<ushort> source, Span<float> destination)
    {
        int i = 0;
        for (; i <= source.Length - Vector<ushort>.Count; i += Vector<ushort>.Count)
        {
            Vector.Widen(new Vector<ushort>(source[i..]), out var low, out var high);
            Vector.AsVectorSingle(low << 16).CopyTo(destination[i..]);
            Vector.AsVectorSingle(high << 16).CopyTo(destination[(i + Vector<uint>.Count)..]);
        }

        for (; i < source.Length; i++)
        {
            destination[i] = BitConverter.UInt32BitsToSingle((uint)source[i] << 16);
        }
    }

    private static void DecodeBytes(ReadOnlySpan<float> values, ReadOnlySpan<byte> source, Span<float> destination)
    {
        for (int i = 0; i < source.Length; i++)
        {
            destination[i] = values[source[i]];
        }
    }

    // Element i takes the bits i·width … (i+1)·width−1, counted from the lowest bit of the first byte; it may straddle two bytes.
    private static void DecodePacked(int width, ReadOnlySpan<float> values, ReadOnlySpan<byte> source, int skip, Span<float> destination)
    {
        int mask = (1 << width) - 1;
        for (int i = 0; i < destination.Length; i++)
        {
            int bit = (skip + i) * width;
            int pair = source[bit >> 3];
            if ((bit & 7) + width > 8)
            {
                pair |= source[(bit >> 3) + 1] << 8;
            }

            destination[i] = values[(pair >> (bit & 7)) & mask];
        }
    }
}
