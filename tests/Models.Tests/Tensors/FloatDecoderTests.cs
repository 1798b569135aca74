using System.Runtime.InteropServices;
using Condense.Models.Tensors;
using Xunit;

namespace Condense.Models.Tests.Tensors;

public sealed class FloatDecoderTests
{
    // Sign, exponent and mantissa as text, read by position: nothing here is shared with the tables or the vector code.
    private static double Formula(int code, int exponentBits, int mantissaBits, int bias)
    {
        string bits = Convert.ToString(code, 2).PadLeft(1 + exponentBits + mantissaBits, '0');
        double sign = bits[0] == '1' ? -1 : 1;
        int exponent = Convert.ToInt32(bits.Substring(1, exponentBits), 2);
        double fraction = 0;
        for (int i = 0; i < mantissaBits; i++)
        {
            fraction += bits[1 + exponentBits + i] == '1' ? Math.Pow(2, -(i + 1)) : 0;
        }

        return exponent == 0 ? sign * fraction * Math.Pow(2, 1 - bias) : sign * (1 + fraction) * Math.Pow(2, exponent - bias);
    }

    private static double Expected(DType dtype, int code) => dtype switch
    {
        DType.F16 when (code & 0x7C00) == 0x7C00 => (code & 0x3FF) != 0 ? double.NaN : code >> 15 == 0 ? double.PositiveInfinity : double.NegativeInfinity,
        DType.F16 => Formula(code, 5, 10, 15),
        DType.BF16 when (code & 0x7F80) == 0x7F80 => (code & 0x7F) != 0 ? double.NaN : code >> 15 == 0 ? double.PositiveInfinity : double.NegativeInfinity,
        DType.BF16 => Formula(code, 8, 7, 127),
        DType.F8E4M3 when code is 0x7F or 0xFF => double.NaN,
        DType.F8E4M3 => Formula(code, 4, 3, 7),
        DType.F8E4M3Fnuz when code == 0x80 => double.NaN,
        DType.F8E4M3Fnuz => Formula(code, 4, 3, 8),
        DType.F8E5M2 when code is 0x7C => double.PositiveInfinity,
        DType.F8E5M2 when code is 0xFC => double.NegativeInfinity,
        DType.F8E5M2 when code is > 0x7C and < 0x80 or > 0xFC => double.NaN,
        DType.F8E5M2 => Formula(code, 5, 2, 15),
        DType.F8E5M2Fnuz when code == 0x80 => double.NaN,
        DType.F8E5M2Fnuz => Formula(code, 5, 2, 16),
        DType.F8E8M0 when code == 255 => double.NaN,
        DType.F8E8M0 => Math.Pow(2, code - 127),
        DType.F6E2M3 => Formula(code, 2, 3, 1),
        DType.F6E3M2 => Formula(code, 3, 2, 3),
        DType.F4E2M1 => Formula(code, 2, 1, 1),
        _ => throw new ArgumentOutOfRangeException(nameof(dtype)),
    };

    [Theory]
    [InlineData(DType.F16)]
    [InlineData(DType.BF16)]
    [InlineData(DType.F8E4M3)]
    [InlineData(DType.F8E4M3Fnuz)]
    [InlineData(DType.F8E5M2)]
    [InlineData(DType.F8E5M2Fnuz)]
    [InlineData(DType.F8E8M0)]
    [InlineData(DType.F6E2M3)]
    [InlineData(DType.F6E3M2)]
    [InlineData(DType.F4E2M1)]
    public void Every_code_has_the_value_of_its_definition(DType dtype)
    {
        int bits = dtype.BitsPerElement();
        int codes = 1 << bits;
        byte[] packed = new byte[(codes * bits / 8) + 1];
        for (int code = 0; code < codes; code++)
        {
            for (int bit = 0; bit < bits; bit++)
            {
                int at = (code * bits) + bit;
                packed[at / 8] |= (byte)(((code >> bit) & 1) << (at % 8));
            }
        }

        float[] values = new float[codes];
        FloatDecoder.Decode(dtype, packed, skip: 0, values);

        for (int code = 0; code < codes; code++)
        {
            // The f64 of the formula is exact in f32, and the sign of zero counts.
            double expected = Expected(dtype, code);
            Assert.True(
                double.IsNaN(expected) ? float.IsNaN(values[code]) : BitConverter.DoubleToInt64Bits(expected) == BitConverter.DoubleToInt64Bits(values[code]),
                $"{dtype} 0x{code:X}: {values[code]:R} instead of {expected:R}");
        }
    }

    // The largest and smallest values that the specifications print.
    [Theory]
    [InlineData(DType.F8E4M3, 0x7E, 448f)]
    [InlineData(DType.F8E4M3, 0x01, 0.001953125f)]
    [InlineData(DType.F8E4M3Fnuz, 0x7F, 240f)]
    [InlineData(DType.F8E5M2, 0x7B, 57344f)]
    [InlineData(DType.F8E5M2Fnuz, 0x7F, 57344f)]
    [InlineData(DType.F6E2M3, 0x1F, 7.5f)]
    [InlineData(DType.F6E3M2, 0x1F, 28f)]
    [InlineData(DType.F4E2M1, 0x07, 6f)]
    [InlineData(DType.F4E2M1, 0x0F, -6f)]
    [InlineData(DType.F8E8M0, 0x00, 5.877471754111438E-39f)]
    public void Extremes_are_those_of_the_specifications(DType dtype, int code, float expected) =>
        Assert.Equal(expected, SmallFloat.Values(dtype)[code]);

    [Theory]
    [InlineData(DType.BF16)]
    [InlineData(DType.F16)]
    public void Vectors_and_their_remainders_agree_at_every_length(DType dtype)
    {
        for (int length = 0; length <= 67; length++)
        {
            ushort[] codes = [.. Enumerable.Range(0, length).Select(i => (ushort)(0x3C00 + (i * 257)))];
            float[] values = new float[length];
            FloatDecoder.Decode(dtype, MemoryMarshal.AsBytes(codes.AsSpan()), skip: 0, values);
            Assert.Equal(codes.Select(code => (float)Expected(dtype, code)), values);
        }
    }

    [Fact]
    public void Doubles_round_to_nearest_with_ties_to_even()
    {
        double[] doubles =
        [
            0.1, -0.0, 1 + Math.Pow(2, -24), 1 + (3 * Math.Pow(2, -24)), 3.4028235677973366e38, 1e300, -1e300, 1e-46, 1.5e-45,
            double.NaN, double.NegativeInfinity, double.Epsilon, 16777217, 16777219, -16777217, 1, 2,
        ];
        float[] expected =
        [
            0.1f, -0f, 1, 1 + (2 * MathF.Pow(2, -23)), float.PositiveInfinity, float.PositiveInfinity, float.NegativeInfinity, 0, 1.401298464e-45f,
            float.NaN, float.NegativeInfinity, 0, 16777216, 16777220, -16777216, 1, 2,
        ];
        float[] values = new float[doubles.Length];

        FloatDecoder.Decode(DType.F64, MemoryMarshal.AsBytes(doubles.AsSpan()), skip: 0, values);

        Assert.Equal(expected, values);
        Assert.True(float.IsNegative(values[1]));
    }

    [Fact]
    public void Integers_are_no_floats() =>
        Assert.Throws<ArgumentException>(() => FloatDecoder.Decode(DType.I8, [1], skip: 0, new float[1]));
}
