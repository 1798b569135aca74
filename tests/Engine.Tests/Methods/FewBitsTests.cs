using Condense.Engine.Matrices;
using Condense.Engine.Methods;
using Condense.Engine.Structures;

namespace Condense.Engine.Tests.Methods;

/// <summary>Codes of 2 to 6 bits, and ranges that are clipped for them.</summary>
public sealed class FewBitsTests
{
    public static TheoryData<int, bool, QuantizationGranularity, int> Kinds()
    {
        var kinds = new TheoryData<int, bool, QuantizationGranularity, int>();
        foreach (int bits in new[] { 2, 3, 4, 5, 6 })
        {
            foreach (bool symmetric in new[] { false, true })
            {
                kinds.Add(bits, symmetric, QuantizationGranularity.PerTensor, 0);
                kinds.Add(bits, symmetric, QuantizationGranularity.PerRow, 0);
                kinds.Add(bits, symmetric, QuantizationGranularity.PerColumn, 0);
                kinds.Add(bits, symmetric, QuantizationGranularity.PerGroup, 16);
                kinds.Add(bits, symmetric, QuantizationGranularity.PerGroup, 32);
            }
        }

        return kinds;
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_entry_has_the_nearest_of_its_steps(int bits, bool symmetric, QuantizationGranularity granularity, int groupSize)
    {
        // 71 columns leave a short group.
        var weight = Samples.Normal(23, 71, 1);
        var form = new QuantizedForm(23, 71, bits, symmetric, granularity, groupSize);
        foreach (var clipping in Enum.GetValues<RangeClipping>())
        {
            var quantized = RoundToNearest.Quantize(weight, form, clipping: clipping);
            var dense = quantized.ToDense();
            int steps = symmetric ? (1 << (bits - 1)) - 1 : (1 << bits) - 1;
            for (int i = 0; i < 23; i++)
            {
                for (int j = 0; j < 71; j++)
                {
                    int at = ScaleOf(form, i, j);
                    double scale = quantized.Scales[at];
                    int zero = symmetric ? 0 : quantized.ZeroPoints[at];
                    double nearest = Enumerable.Range(symmetric ? -steps : 0, symmetric ? (2 * steps) + 1 : steps + 1)
                        .Min(code => Math.Abs(weight[i, j] - (scale * (code - zero))));
                    Assert.InRange(Math.Abs((double)weight[i, j] - dense[i, j]), 0, nearest + (1e-5 * scale));
                    if (clipping == RangeClipping.None)
                    {
                        Assert.InRange(nearest, 0, (symmetric ? 0.5 : 1.0) * 1.00001 * scale);
                    }
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void The_prediction_is_the_result_to_the_bit(int bits, bool symmetric, QuantizationGranularity granularity, int groupSize)
    {
        var weight = Samples.Normal(300, 37, 1);
        var importance = new Importance { RowWeights = Samples.RowWeights(300, 2) };
        var form = new QuantizedForm(300, 37, bits, symmetric, granularity, groupSize);
        var result = RoundToNearest.Compress(weight, importance, form);
        Assert.Equal(result.Error, RoundToNearest.Predict(weight, importance, form));
        Assert.Equal(result.Error, RoundToNearest.Predict(weight, importance, form, threads: 3));
        var threaded = (QuantizedMatrix)RoundToNearest.Compress(weight, importance, form, threads: 16).Structure;
        Assert.Equal(((QuantizedMatrix)result.Structure).Codes, threaded.Codes);
        Assert.Equal(((QuantizedMatrix)result.Structure).Scales, threaded.Scales);
        Assert.Equal(((QuantizedMatrix)result.Structure).ZeroPoints, threaded.ZeroPoints);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Clipping_never_loses_and_gains_clearly_where_codes_are_few(int bits, bool symmetric, QuantizationGranularity granularity, int groupSize)
    {
        var weight = Samples.Normal(150, 300, 4);
        var form = new QuantizedForm(150, 300, bits, symmetric, granularity, groupSize);
        double whole = RoundToNearest.Predict(weight, Importance.None, form, clipping: RangeClipping.None).SquaredError;
        double clipped = RoundToNearest.Predict(weight, Importance.None, form, clipping: RangeClipping.LeastSquares).SquaredError;
        Assert.InRange(clipped, 0, whole);
        if (bits <= 4)
        {
            Assert.InRange(clipped, 0, (groupSize == 0 ? 0.9 : 0.97) * whole);
        }

        Assert.Equal(clipped, RoundToNearest.Predict(weight, Importance.None, form).SquaredError);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void At_8_bits_ranges_are_clipped_only_when_asked(bool symmetric)
    {
        var weight = Samples.Normal(400, 300, 4);
        var form = new QuantizedForm(400, 300, 8, symmetric, QuantizationGranularity.PerRow);
        double whole = RoundToNearest.Predict(weight, Importance.None, form, clipping: RangeClipping.None).SquaredError;
        double clipped = RoundToNearest.Predict(weight, Importance.None, form, clipping: RangeClipping.LeastSquares).SquaredError;
        Assert.Equal(whole, RoundToNearest.Predict(weight, Importance.None, form).SquaredError);
        Assert.InRange(clipped, 0.98 * whole, whole);
    }

    // The distortion of the best uniform quantizers of a normal distribution: J. Max, "Quantizing for minimum distortion", 1960, table II.
    // Steps that include zero are shifted by half a step against Max's where their number is even, which costs a little with few of them.
    [Theory]
    [InlineData(2, true, 0.1902, 1.01)]
    [InlineData(2, false, 0.1188, 1.5)]
    [InlineData(3, false, 0.03744, 1.2)]
    [InlineData(4, false, 0.01154, 1.1)]
    [InlineData(5, false, 0.00349, 1.06)]
    public void A_normal_distribution_loses_what_the_best_uniform_steps_lose(int bits, bool symmetric, double published, double shift)
    {
        var weight = Samples.Normal(400, 1000, 5);
        var error = RoundToNearest.Predict(weight, Importance.None, new QuantizedForm(400, 1000, bits, symmetric, QuantizationGranularity.PerTensor));
        Assert.InRange(error.SquaredError / error.SquaredNorm, published * 0.99, published * shift);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void The_search_finds_what_trying_every_range_finds(int bits)
    {
        const int Rows = 40, Columns = 200;
        var weight = Samples.Normal(Rows, Columns, 6);
        for (int i = 0; i < Rows; i += 2)
        {
            // An outlier, for which a range may have to shrink by far.
            weight[i, 7] = i;
        }

        double found = RoundToNearest.Predict(weight, Importance.None, new QuantizedForm(Rows, Columns, bits, true, QuantizationGranularity.PerRow)).SquaredError;
        double best = 0;
        int steps = (1 << (bits - 1)) - 1;
        for (int i = 0; i < Rows; i++)
        {
            float[] row = weight.Row(i).ToArray();
            double reach = row.Max(Math.Abs);
            best += Enumerable.Range(1, 1000).Min(part =>
            {
                double scale = reach * part / 1000 / steps;
                return row.Sum(value => Math.Pow(value - (scale * Math.Clamp(Math.Round(value / scale), -steps, steps)), 2));
            });
        }

        Assert.InRange(found, best * 0.999, best * 1.03);
    }

    [Fact]
    public void Each_end_of_a_range_is_clipped_by_itself()
    {
        // One outlier above: only that end should be cut.
        const int Columns = 10_000;
        var weight = new Matrix(1, Columns);
        for (int j = 0; j < Columns; j++)
        {
            weight[0, j] = (j - (Columns / 2)) / (Columns / 2f);
        }

        weight[0, Columns - 1] = 4;
        var quantized = RoundToNearest.Quantize(weight, new QuantizedForm(1, Columns, 4, false, QuantizationGranularity.PerRow));
        float low = quantized.Scales[0] * -quantized.ZeroPoints[0];
        float high = quantized.Scales[0] * (15 - quantized.ZeroPoints[0]);
        Assert.InRange(low, -1.1f, -0.85f);
        Assert.InRange(high, 0.9f, 1.5f);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Degenerate_values_stay_finite_and_near(int bits, bool symmetric, QuantizationGranularity granularity, int groupSize)
    {
        float[][] rows =
        [
            [0, 0, 0, 0, 0],
            [3, 3, 3, 3, 3],
            [-3, -3, -3, -3, -3],
            [float.Epsilon, -float.Epsilon, 0, 0, 0],
            [190 * float.Epsilon, -3 * float.Epsilon, 0, 0, 100 * float.Epsilon],
            [1e-37f, -1e-38f, 3e-38f, 0, 0],
            [float.MaxValue, -float.MaxValue, 1, 0, 1e38f],
            [float.MaxValue, 0, 0, 0, 0],
            [-float.MaxValue, 1e38f, 0, 0, 0],
        ];
        int steps = symmetric ? (1 << (bits - 1)) - 1 : (1 << bits) - 1;
        foreach (float[] row in rows)
        {
            var form = new QuantizedForm(1, 5, bits, symmetric, granularity, groupSize);
            var weight = new Matrix(1, 5, row);
            var dense = RoundToNearest.Quantize(weight, form).ToDense();
            double whole = RoundToNearest.Predict(weight, Importance.None, form, clipping: RangeClipping.None).SquaredError;
            Assert.InRange(RoundToNearest.Predict(weight, Importance.None, form).SquaredError, 0, whole);
            double reach = Math.Max(row.Max() - (double)Math.Min(0, row.Min()), -(double)row.Min());
            for (int j = 0; j < 5; j++)
            {
                Assert.True(float.IsFinite(dense[0, j]));
                Assert.InRange(Math.Abs((double)row[j] - dense[0, j]), 0, Math.Max(2.3 * reach / steps, 2 * float.Epsilon));
            }
        }
    }

    private static int ScaleOf(QuantizedForm form, int row, int column) => form.Granularity switch
    {
        QuantizationGranularity.PerTensor => 0,
        QuantizationGranularity.PerRow => row,
        QuantizationGranularity.PerColumn => column,
        _ => (row * form.GroupsPerRow) + (column / form.GroupSize),
    };
}
