using System.Numerics;

namespace Condense.Engine.Structures;

/// <summary>Codes to numbers, <c>Scale·(code − ZeroPoint)</c>: an exact subtraction and one rounding.</summary>
internal static class QuantizedCodes
{
    /// <summary>Decodes entries that share a scale.</summary>
    /// <param name="codes">The codes.</param>
    /// <param name="symmetric">Two's complement instead of unsigned.</param>
    /// <param name="scale">The scale.</param>
    /// <param name="zeroPoint">The zero point.</param>
    /// <param name="values">As many as codes.</param>
    public static void Decode(ReadOnlySpan<byte> codes, bool symmetric, float scale, int zeroPoint, Span<float> values)
    {
        // Flipping the sign bit of two's complement makes it unsigned with its zero at 128, so that one loop serves both.
        byte flip = symmetric ? (byte)0x80 : (byte)0;
        int zero = symmetric ? 128 : zeroPoint;
        int i = 0;
        for (; i <= codes.Length - Vector<byte>.Count; i += Vector<byte>.Count)
        {
            Vector.Widen(new Vector<byte>(codes[i..]) ^ new Vector<byte>(flip), out var low, out var high);
            Store(low, zero, scale, values[i..]);
            Store(high, zero, scale, values[(i + Vector<ushort>.Count)..]);
        }

        for (; i < codes.Length; i++)
        {
            values[i] = ((codes[i] ^ flip) - zero) * scale;
        }
    }

    /// <summary>Decodes entries that have a scale each.</summary>
    /// <param name="codes">The codes.</param>
    /// <param name="symmetric">Two's complement instead of unsigned.</param>
    /// <param name="scales">As many as codes.</param>
    /// <param name="zeroPoints">As many as codes; empty when symmetric.</param>
    /// <param name="values">As many as codes.</param>
    public static void Decode(ReadOnlySpan<byte> codes, bool symmetric, ReadOnlySpan<float> scales, ReadOnlySpan<byte> zeroPoints, Span<float> values)
    {
        for (int i = 0; i < codes.Length; i++)
        {
            values[i] = (symmetric ? (sbyte)codes[i] : codes[i] - zeroPoints[i]) * scales[i];
        }
    }

    private static void Store(Vector<ushort> codes, int zero, float scale, Span<float> values)
    {
        Vector.Widen(codes, out var low, out var high);
        var offset = new Vector<int>(zero);
        (Vector.ConvertToSingle(Vector.AsVectorInt32(low) - offset) * scale).CopyTo(values);
        (Vector.ConvertToSingle(Vector.AsVectorInt32(high) - offset) * scale).CopyTo(values[Vector<int>.Count..]);
    }
}
