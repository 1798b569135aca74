using System.Runtime.CompilerServices;
using Condense.Engine.Matrices;

namespace Condense.Engine.Structures;

/// <summary>Rounds f32 numbers to the values that a narrower format holds, ties to even.</summary>
internal static class FloatRounding
{
    /// <summary>Rounds a run of values. Infinite where the format's range ends and NaN where the source is.</summary>
    /// <param name="source">The values.</param>
    /// <param name="format">The format.</param>
    /// <param name="rounded">As many.</param>
    public static void Round(ReadOnlySpan<float> source, FloatFormat format, Span<float> rounded)
    {
        switch (format)
        {
            case FloatFormat.F32:
                source.CopyTo(rounded);
                break;
            case FloatFormat.F16:
                for (int i = 0; i < source.Length; i++)
                {
                    rounded[i] = (float)(Half)source[i];
                }

                break;
            case FloatFormat.BF16:
                for (int i = 0; i < source.Length; i++)
                {
                    rounded[i] = RoundToBFloat16(source[i]);
                }

                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(format), format, "Not a float format.");
        }
    }

    /// <summary>The index of the first entry that is finite but not within the format, or −1.</summary>
    public static int FindOverflow(Matrix values, FloatFormat format)
    {
        if (format == FloatFormat.F32)
        {
            return -1;
        }

        // Half.MaxValue is 65504 and the tie at 65520 rounds up to infinity; bfloat16 ends half a step below float's own end.
        float limit = format == FloatFormat.F16 ? 65520f : BitConverter.UInt32BitsToSingle(0x7F7F8000);
        var all = values.Values;
        for (int i = 0; i < all.Length; i++)
        {
            float magnitude = Math.Abs(all[i]);
            if (magnitude >= limit && float.IsFinite(magnitude))
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>bfloat16 is the upper half of a float: adding 0x7FFF and the last kept bit rounds the lower half, ties to even.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float RoundToBFloat16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value)
            ? value
            : BitConverter.UInt32BitsToSingle((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000);
    }
}
