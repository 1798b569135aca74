using Condense.Engine.Matrices;
using Condense.Engine.Structures;

namespace Condense.Engine.Tests.Structures;

public sealed class DenseMatrixTests
{
    [Theory]
    [InlineData(FloatFormat.F32)]
    [InlineData(FloatFormat.F16)]
    [InlineData(FloatFormat.BF16)]
    public void Every_operation_agrees_with_the_entries(FloatFormat format)
    {
        foreach (var (m, n) in new[] { (0, 3), (3, 0), (1, 1), (300, 17), (5, 80) })
        {
            StructureLaws.AssertConsistent(new DenseMatrix(Samples.Normal(m, n, 1), format));
        }
    }

    [Fact]
    public void F16_rounds_as_the_runtime_does()
    {
        var values = Samples.Normal(50, 50, 3);
        var rounded = new DenseMatrix(values, FloatFormat.F16).Values;
        for (int i = 0; i < values.Values.Length; i++)
        {
            Assert.Equal((float)(Half)values.Values[i], rounded.Values[i]);
        }
    }

    [Theory]
    [InlineData(0x3F808000u, 0x3F800000u)] // a tie goes to the even neighbour below
    [InlineData(0x3F818000u, 0x3F820000u)] // and to the even neighbour above
    [InlineData(0x3F808001u, 0x3F810000u)]
    [InlineData(0xBF807FFFu, 0xBF800000u)]
    [InlineData(0x00000001u, 0x00000000u)]
    [InlineData(0x00018000u, 0x00020000u)]
    [InlineData(0x80000000u, 0x80000000u)]
    [InlineData(0x7F7F7FFFu, 0x7F7F0000u)]
    public void BF16_rounds_to_the_nearest_ties_to_even(uint bits, uint expected)
    {
        var rounded = new DenseMatrix(new Matrix(1, 1, [BitConverter.UInt32BitsToSingle(bits)]), FloatFormat.BF16).Values;
        Assert.Equal(expected, BitConverter.SingleToUInt32Bits(rounded[0, 0]));
    }

    [Theory]
    [InlineData(FloatFormat.F16, 65519.99f, true)]
    [InlineData(FloatFormat.F16, 65520f, false)]
    [InlineData(FloatFormat.F16, -1e5f, false)]
    [InlineData(FloatFormat.BF16, 3.3895e38f, true)]
    [InlineData(FloatFormat.BF16, float.MaxValue, false)]
    [InlineData(FloatFormat.F32, float.MaxValue, true)]
    [InlineData(FloatFormat.F16, float.PositiveInfinity, true)]
    public void What_would_become_infinite_is_refused_with_its_place(FloatFormat format, float value, bool fits)
    {
        var values = new Matrix(2, 3);
        values[1, 2] = value;
        Assert.Equal(fits, DenseMatrix.Fits(values, format));
        if (fits)
        {
            Assert.Equal(float.IsFinite(value), float.IsFinite(new DenseMatrix(values, format).Values[1, 2]));
        }
        else
        {
            var error = Assert.Throws<ArgumentException>(() => new DenseMatrix(values, format));
            Assert.Contains("(1, 2)", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Storage_is_the_width_of_an_entry_times_the_entries()
    {
        Assert.Equal(35 * 32, new DenseMatrix(new Matrix(5, 7), FloatFormat.F32).StorageBits);
        Assert.Equal(35 * 16, new DenseMatrix(new Matrix(5, 7), FloatFormat.F16).StorageBits);
        Assert.Equal(35 * 16, new DenseMatrix(new Matrix(5, 7), FloatFormat.BF16).StorageBits);
    }

    [Fact]
    public void ToDense_gives_a_copy()
    {
        var structure = new DenseMatrix(new Matrix(1, 1), FloatFormat.F32);
        structure.ToDense()[0, 0] = 1;
        Assert.Equal(0, structure.Values[0, 0]);
    }
}
