using Condense.Engine.Methods;
using Condense.Engine.Structures;

namespace Condense.Engine.Tests.Structures;

public sealed class QuantizedMatrixTests
{
    public static TheoryData<QuantizationGranularity, int, bool> Kinds()
    {
        var kinds = new TheoryData<QuantizationGranularity, int, bool>();
        foreach (bool symmetric in new[] { false, true })
        {
            kinds.Add(QuantizationGranularity.PerTensor, 0, symmetric);
            kinds.Add(QuantizationGranularity.PerRow, 0, symmetric);
            kinds.Add(QuantizationGranularity.PerColumn, 0, symmetric);
            foreach (int groupSize in new[] { 1, 3, 32, 1000, int.MaxValue })
            {
                kinds.Add(QuantizationGranularity.PerGroup, groupSize, symmetric);
            }
        }

        return kinds;
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_operation_agrees_with_the_entries(QuantizationGranularity granularity, int groupSize, bool symmetric)
    {
        foreach (var (m, n) in new[] { (0, 3), (3, 0), (1, 1), (300, 33), (7, 100) })
        {
            var form = new QuantizedForm(m, n, 8, symmetric, granularity, groupSize);
            StructureLaws.AssertConsistent(RoundToNearest.Quantize(Samples.Normal(m, n, 1), form));
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void An_entry_is_the_scale_times_code_minus_zero_point(QuantizationGranularity granularity, int groupSize, bool symmetric)
    {
        const int M = 5, N = 71;
        var form = new QuantizedForm(M, N, 8, symmetric, granularity, groupSize);
        var random = new Random(3);
        var codes = new byte[M * N];
        random.NextBytes(codes);
        codes.AsSpan().Replace((byte)0x80, (byte)0x7F);
        var scales = new float[form.ScaleCount];
        var zeroPoints = new byte[symmetric ? 0 : form.ScaleCount];
        random.NextBytes(zeroPoints);
        for (int i = 0; i < scales.Length; i++)
        {
            scales[i] = random.NextSingle() + 0.1f;
        }

        var dense = new QuantizedMatrix(form, codes, scales, zeroPoints).ToDense();
        for (int i = 0; i < M; i++)
        {
            for (int j = 0; j < N; j++)
            {
                int scale = granularity switch
                {
                    QuantizationGranularity.PerTensor => 0,
                    QuantizationGranularity.PerRow => i,
                    QuantizationGranularity.PerColumn => j,
                    _ => (i * form.GroupsPerRow) + (j / groupSize),
                };
                int code = symmetric ? unchecked((sbyte)codes[(i * N) + j]) : codes[(i * N) + j] - zeroPoints[scale];
                Assert.Equal(code * scales[scale], dense[i, j]);
            }
        }
    }

    [Fact]
    public void Storage_counts_codes_scales_and_zero_points()
    {
        Assert.Equal((70 * 8) + 32, Form(true, QuantizationGranularity.PerTensor).StorageBits);
        Assert.Equal((70 * 8) + 40, Form(false, QuantizationGranularity.PerTensor).StorageBits);
        Assert.Equal((70 * 8) + (7 * 32), Form(true, QuantizationGranularity.PerRow).StorageBits);
        Assert.Equal((70 * 8) + (10 * 40), Form(false, QuantizationGranularity.PerColumn).StorageBits);
        Assert.Equal((70 * 8) + (7 * 3 * 40), Form(false, QuantizationGranularity.PerGroup, 4).StorageBits);
    }

    [Fact]
    public void Packed_codes_and_zero_points_are_counted_to_the_byte()
    {
        // 70 codes of 3 bits are 210 bits, 27 bytes; 21 zero points of 3 bits are 63 bits, 8 bytes.
        Assert.Equal((27 * 8) + (21 * 32) + (8 * 8), new QuantizedForm(7, 10, 3, false, QuantizationGranularity.PerGroup, 4).StorageBits);
        Assert.Equal((35 * 8) + (7 * 32), new QuantizedForm(7, 10, 4, true, QuantizationGranularity.PerRow).StorageBits);
        Assert.Equal((70 * 8) + (7 * 40), new QuantizedForm(7, 10, 6, false, QuantizationGranularity.PerRow, storedBits: 8).StorageBits);
        Assert.True(new QuantizedForm(7, 10, 6, false, QuantizationGranularity.PerRow).IsPacked);
        Assert.False(new QuantizedForm(7, 10, 6, false, QuantizationGranularity.PerRow, storedBits: 8).IsPacked);
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(7, 0)]
    [InlineData(9, 0)]
    [InlineData(3, 4)]
    [InlineData(8, 4)]
    public void Other_widths_are_refused(int codeBits, int storedBits)
        => Assert.Throws<ArgumentOutOfRangeException>(() => new QuantizedForm(7, 10, codeBits, true, QuantizationGranularity.PerRow, storedBits: storedBits));

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void Codes_and_zero_points_stay_within_their_bits(int bits)
    {
        int half = 1 << (bits - 1);
        var signed = new QuantizedForm(1, 3, bits, true, QuantizationGranularity.PerTensor);
        Assert.Equal([half - 1f, 1f - half, 0], new QuantizedMatrix(signed, [(byte)(half - 1), unchecked((byte)(1 - half)), 0], [1], []).ToDense().Values);
        AssertRefused($"(0, 2) is {half};", () => new QuantizedMatrix(signed, [0, 0, (byte)half], [1], []));
        AssertRefused($"(0, 1) is {-half};", () => new QuantizedMatrix(signed, [0, unchecked((byte)-half), 0], [1], []));
        var unsigned = new QuantizedForm(1, 3, bits, false, QuantizationGranularity.PerTensor);
        Assert.Equal([0f, -1f, 1 - (2f * half)], new QuantizedMatrix(unsigned, [(byte)((2 * half) - 1), (byte)((2 * half) - 2), 0], [1], [(byte)((2 * half) - 1)]).ToDense().Values);
        AssertRefused($"(0, 2) is {2 * half};", () => new QuantizedMatrix(unsigned, [0, 0, (byte)(2 * half)], [1], [0]));
        AssertRefused($"Zero point 0 is {2 * half};", () => new QuantizedMatrix(unsigned, [0, 0, 0], [1], [(byte)(2 * half)]));
    }

    [Fact]
    public void What_breaks_a_law_is_refused_with_the_law()
    {
        var form = Form(true, QuantizationGranularity.PerRow);
        float[] scales = [1, 1, 1, 1, 1, 1, 1];
        AssertRefused("70", () => new QuantizedMatrix(form, new byte[69], scales, []));
        AssertRefused("7", () => new QuantizedMatrix(form, new byte[70], [1], []));
        AssertRefused("symmetric", () => new QuantizedMatrix(form, new byte[70], scales, new byte[7]));
        AssertRefused("positive", () => new QuantizedMatrix(form, new byte[70], [1, 1, 0, 1, 1, 1, 1], []));
        AssertRefused("finite", () => new QuantizedMatrix(form, new byte[70], [1, 1, float.NaN, 1, 1, 1, 1], []));
        AssertRefused("finite", () => new QuantizedMatrix(form, new byte[70], [1, 1, float.PositiveInfinity, 1, 1, 1, 1], []));
        var codes = new byte[70];
        codes[25] = 0x80;
        AssertRefused("(2, 5)", () => new QuantizedMatrix(form, codes, scales, []));
        Assert.Equal(-128f, new QuantizedMatrix(Form(false, QuantizationGranularity.PerTensor), new byte[70], [1], [128]).ToDense()[0, 0]);
    }

    private static void AssertRefused(string part, Func<object> make) =>
        Assert.Contains(part, Assert.Throws<ArgumentException>(make).Message, StringComparison.Ordinal);

    private static QuantizedForm Form(bool symmetric, QuantizationGranularity granularity, int groupSize = 0) =>
        new(7, 10, 8, symmetric, granularity, groupSize);
}
