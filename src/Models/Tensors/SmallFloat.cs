namespace Condense.Models.Tensors;

/// <summary>
/// Floating-point numbers of 8 bits and fewer, as tables of their values. Sources: OCP 8-bit Floating Point Specification 1.0 (E4M3, E5M2), OCP
/// Microscaling Formats 1.0 (E8M0, E2M3, E3M2, E2M1), https://arxiv.org/abs/2206.02915 (the "fnuz" variants).
/// </summary>
internal static class SmallFloat
{
    private static readonly float[] s_e4m3 = Tabulate(4, 3, bias: 7, SpecialValues.NanAtAllOnes);
    private static readonly float[] s_e4m3Fnuz = Tabulate(4, 3, bias: 8, SpecialValues.NanAtNegativeZero);
    private static readonly float[] s_e5m2 = Tabulate(5, 2, bias: 15, SpecialValues.Ieee);
    private static readonly float[] s_e5m2Fnuz = Tabulate(5, 2, bias: 16, SpecialValues.NanAtNegativeZero);
    private static readonly float[] s_e8m0 = TabulateExponents();
    private static readonly float[] s_e2m3 = Tabulate(2, 3, bias: 1, SpecialValues.None);
    private static readonly float[] s_e3m2 = Tabulate(3, 2, bias: 3, SpecialValues.None);
    private static readonly float[] s_e2m1 = Tabulate(2, 1, bias: 1, SpecialValues.None);

    private enum SpecialValues
    {
        None,
        Ieee,
        NanAtAllOnes,
        NanAtNegativeZero,
    }

    /// <summary>The value of every code, 2^bits of them. Each is exact in f32.</summary>
    /// <param name="dtype">A floating-point type of at most 8 bits.</param>
    public static ReadOnlySpan<float> Values(DType dtype) => dtype switch
    {
        DType.F8E4M3 => s_e4m3,
        DType.F8E4M3Fnuz => s_e4m3Fnuz,
        DType.F8E5M2 => s_e5m2,
        DType.F8E5M2Fnuz => s_e5m2Fnuz,
        DType.F8E8M0 => s_e8m0,
        DType.F6E2M3 => s_e2m3,
        DType.F6E3M2 => s_e3m2,
        DType.F4E2M1 => s_e2m1,
        _ => throw new ArgumentException($"{dtype} is not a floating-point type of 8 bits or fewer.", nameof(dtype)),
    };

    // Sign, exponent, mantissa from the highest bit down: (-1)^s · 2^(e-bias) · (1 + m/2^M), and (-1)^s · 2^(1-bias) · m/2^M where e = 0.
    private static float[] Tabulate(int exponentBits, int mantissaBits, int bias, SpecialValues special)
    {
        int signBit = 1 << (exponentBits + mantissaBits);
        int topExponent = (1 << exponentBits) - 1;
        float[] values = new float[2 * signBit];
        for (int code = 0; code < values.Length; code++)
        {
            int magnitude = code & (signBit - 1);
            int exponent = magnitude >> mantissaBits;
            int mantissa = magnitude & ((1 << mantissaBits) - 1);
            float value = exponent == 0
                ? float.ScaleB(mantissa, 1 - bias - mantissaBits)
                : float.ScaleB((1 << mantissaBits) + mantissa, exponent - bias - mantissaBits);
            value = special switch
            {
                SpecialValues.Ieee when exponent == topExponent => mantissa == 0 ? float.PositiveInfinity : float.NaN,
                SpecialValues.NanAtAllOnes when magnitude == signBit - 1 => float.NaN,
                SpecialValues.NanAtNegativeZero when code == signBit => float.NaN,
                _ => value,
            };
            values[code] = code < signBit ? value : -value;
        }

        return values;
    }

    private static float[] TabulateExponents()
    {
        float[] values = new float[256];
        for (int code = 0; code < 255; code++)
        {
            values[code] = float.ScaleB(1, code - 127);
        }

        values[255] = float.NaN;
        return values;
    }
}
