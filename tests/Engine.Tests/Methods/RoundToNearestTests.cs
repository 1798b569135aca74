using Condense.Engine.Matrices;
using Condense.Engine.Methods;
using Condense.Engine.Structures;
using Condense.Engine.Tests.Structures;

namespace Condense.Engine.Tests.Methods;

public sealed class RoundToNearestTests
{
    [Theory]
    [MemberData(nameof(QuantizedMatrixTests.Kinds), MemberType = typeof(QuantizedMatrixTests))]
    public void No_entry_is_further_off_than_half_a_step(QuantizationGranularity granularity, int groupSize, bool symmetric)
    {
        var weight = Samples.Normal(23, 71, 1);
        var form = new QuantizedForm(23, 71, 8, symmetric, granularity, groupSize);
        var quantized = RoundToNearest.Quantize(weight, form);
        var dense = quantized.ToDense();
        for (int i = 0; i < 23; i++)
        {
            for (int j = 0; j < 71; j++)
            {
                int scale = granularity switch
                {
                    QuantizationGranularity.PerTensor => 0,
                    QuantizationGranularity.PerRow => i,
                    QuantizationGranularity.PerColumn => j,
                    _ => (i * form.GroupsPerRow) + (j / groupSize),
                };

                // An asymmetric range is shifted by the rounding of its zero point: up to half a step more at its ends.
                float steps = symmetric ? 0.5f : 1.0f;
                Assert.InRange(Math.Abs(weight[i, j] - dense[i, j]), 0, steps * 1.00001f * quantized.Scales[scale]);
            }
        }
    }

    [Theory]
    [MemberData(nameof(QuantizedMatrixTests.Kinds), MemberType = typeof(QuantizedMatrixTests))]
    public void The_prediction_is_the_result_to_the_bit(QuantizationGranularity granularity, int groupSize, bool symmetric)
    {
        var weight = Samples.Normal(600, 37, 1);
        var importance = new Importance { RowWeights = Samples.RowWeights(600, 2) };
        var form = new QuantizedForm(600, 37, 8, symmetric, granularity, groupSize);
        var result = RoundToNearest.Compress(weight, importance, form);
        Assert.Equal(result.Error, RoundToNearest.Predict(weight, importance, form));
        Assert.Equal(result.Error, RoundToNearest.Predict(weight, importance, form, threads: 3));
        var threaded = (QuantizedMatrix)RoundToNearest.Compress(weight, importance, form, threads: 16).Structure;
        Assert.Equal(((QuantizedMatrix)result.Structure).Codes, threaded.Codes);
        Assert.Equal(((QuantizedMatrix)result.Structure).Scales, threaded.Scales);
        Assert.True(result.Error.RelativeError > 0);
    }

    [Fact]
    public void Codes_are_the_rounded_quotients_ties_to_even()
    {
        // The largest magnitude 127 makes the scale 1.
        var weight = new Matrix(1, 6, [127, 0.5f, 1.5f, -2.5f, -126.6f, 3.2f]);
        var quantized = RoundToNearest.Quantize(weight, new QuantizedForm(1, 6, 8, true, QuantizationGranularity.PerTensor));
        Assert.Equal([1f], quantized.Scales);
        Assert.Equal([127, 0, 2, -2, -127, 3], quantized.Codes.Select(code => (int)unchecked((sbyte)code)));
        weight = new Matrix(1, 6, [-100, 155, 0, 0.5f, 1.5f, -99.6f]);
        quantized = RoundToNearest.Quantize(weight, new QuantizedForm(1, 6, 8, false, QuantizationGranularity.PerTensor));
        Assert.Equal([1f], quantized.Scales);
        Assert.Equal([(byte)100], quantized.ZeroPoints);
        Assert.Equal([0, 255, 100, 100, 102, 0], quantized.Codes.Select(code => (int)code));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Zero_is_exact_in_every_range(bool symmetric)
    {
        foreach (var (low, high) in new[] { (0f, 0f), (1f, 2f), (-2f, -1f), (-1f, 1f), (-1e-3f, 7f), (-9f, 1e-9f) })
        {
            var weight = new Matrix(1, 3, [low, 0, high]);
            Assert.Equal(0, RoundToNearest.Quantize(weight, new QuantizedForm(1, 3, 8, symmetric, QuantizationGranularity.PerRow)).ToDense()[0, 1]);
        }
    }

    [Theory]
    [MemberData(nameof(QuantizedMatrixTests.Kinds), MemberType = typeof(QuantizedMatrixTests))]
    public void Degenerate_values_stay_finite_and_near(QuantizationGranularity granularity, int groupSize, bool symmetric)
    {
        float[][] rows =
        [
            [0, 0, 0, 0, 0],
            [3, 3, 3, 3, 3],
            [-3, -3, -3, -3, -3],
            [float.Epsilon, -float.Epsilon, 0, 0, 0],
            [190 * float.Epsilon, -3 * float.Epsilon, 0, 0, 100 * float.Epsilon],
            [1e-40f, -1e-40f, 3e-41f, 0, 0],
            [float.MaxValue, -float.MaxValue, 1, 0, 1e38f],
            [float.MaxValue, 0, 0, 0, 0],
            [-float.MaxValue, 1e38f, 0, 0, 0],
            [1e38f, -float.MaxValue, float.MaxValue / 2, 0, -1],
        ];
        foreach (float[] row in rows)
        {
            var weight = new Matrix(1, 5, row);
            var form = new QuantizedForm(1, 5, 8, symmetric, granularity, groupSize);
            var result = RoundToNearest.Compress(weight, Importance.None, form);
            var dense = result.Structure.ToDense();
            float reach = row.Max(Math.Abs);
            for (int j = 0; j < 5; j++)
            {
                Assert.True(float.IsFinite(dense[0, j]));

                // One step is reach ÷ 127 at most, and the least denormal where no smaller one exists.
                Assert.InRange(Math.Abs((double)row[j] - dense[0, j]), 0, Math.Max(reach / 127.0, float.Epsilon));
            }
        }
    }

    [Fact]
    public void An_entry_that_is_not_finite_is_refused_with_its_place()
    {
        foreach (float bad in new[] { float.NaN, float.PositiveInfinity, float.NegativeInfinity })
        {
            foreach (var granularity in Enum.GetValues<QuantizationGranularity>())
            {
                var weight = Samples.Normal(4, 9, 1);
                weight[2, 5] = bad;
                var form = new QuantizedForm(4, 9, 8, true, granularity, granularity == QuantizationGranularity.PerGroup ? 2 : 0);
                var error = Assert.Throws<ArgumentException>(() => RoundToNearest.Quantize(weight, form));
                Assert.Contains("(2, 5)", error.Message, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void Another_shape_is_refused() =>
        Assert.Throws<ArgumentException>(() =>
            RoundToNearest.Quantize(new Matrix(2, 3), new QuantizedForm(3, 2, 8, true, QuantizationGranularity.PerTensor)));
}
