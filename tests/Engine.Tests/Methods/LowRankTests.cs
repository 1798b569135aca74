using Condense.Engine.Factorizations;
using Condense.Engine.Matrices;
using Condense.Engine.Methods;
using Condense.Engine.Structures;
using Condense.Engine.Tests.Structures;

namespace Condense.Engine.Tests.Methods;

public sealed class LowRankTests
{
    [Theory]
    [InlineData(200, 60, false)]
    [InlineData(200, 60, true)]
    [InlineData(60, 200, false)]
    [InlineData(60, 200, true)]
    public void The_error_at_every_rank_is_the_tail(int m, int n, bool weighted)
    {
        var weight = Samples.Decaying(m, n, 0.5, 1);
        var importance = new Importance { RowWeights = weighted ? Samples.RowWeights(m, 2) : null };
        var basis = Basis(weight, importance, 60);
        foreach (int rank in new[] { 1, 2, 7, 30, 45 })
        {
            var result = LowRank.Compress(weight, importance, basis, new LowRankSettings { Rank = rank });
            Assert.Equal(basis.TailEnergy(rank), result.Bound);
            Assert.InRange(result.Error.WeightedSquaredError / basis.TailEnergy(rank), 1 - Tolerance.IdentityInFloat, 1 + Tolerance.IdentityInFloat);
            Assert.Equal(32L * rank * (m + n), result.Structure.StorageBits);
            Assert.Equal(basis.TailEnergy(rank), LowRank.PredictSquaredErrors(basis, null)[rank]);
        }
    }

    [Fact]
    public void Weighting_the_rows_lowers_the_weighted_error()
    {
        var weight = Samples.Decaying(200, 60, 0.3, 1);
        var importance = new Importance { RowWeights = Samples.RowWeights(200, 2) };
        var settings = new LowRankSettings { Rank = 10 };
        double plain = ErrorMeasure.Measure(
            weight, LowRank.Compress(weight, Importance.None, Basis(weight, Importance.None, 10), settings).Structure, importance).WeightedRelativeError;
        double weighted = LowRank.Compress(weight, importance, Basis(weight, importance, 10), settings).Error.WeightedRelativeError;
        Assert.True(weighted < 0.95 * plain, $"{weighted} against {plain}");
    }

    [Theory]
    [InlineData(null)]
    [InlineData(8)]
    public void A_planted_rank_is_recovered(int? codeBits)
    {
        var weight = Samples.OfRank(150, 70, 6, 1);
        var result = LowRank.Compress(weight, Importance.None, Basis(weight, Importance.None, 6), new LowRankSettings { Rank = 6, CodeBits = codeBits });
        Assert.InRange(result.Error.RelativeError, 0, codeBits is null ? Tolerance.PlantedRank : 0.02);
        StructureLaws.AssertConsistent(result.Structure);
    }

    [Theory]
    [InlineData(400, 120, 0.0, false)]
    [InlineData(400, 120, 0.5, true)]
    [InlineData(120, 400, 1.0, false)]
    [InlineData(400, 120, 2.0, true)]
    public void The_predicted_error_of_int8_factors_is_near_the_measured_one(int m, int n, double decay, bool weighted)
    {
        var weight = Samples.Decaying(m, n, decay, 1);
        var importance = new Importance { RowWeights = weighted ? Samples.RowWeights(m, 2) : null };
        var basis = Basis(weight, importance, 100);
        var predicted = LowRank.PredictSquaredErrors(basis, 8);
        Assert.Equal(basis.TotalEnergy, predicted[0], basis.TotalEnergy * Tolerance.Identity);
        foreach (int rank in new[] { 1, 5, 20, 60, 100 })
        {
            var result = LowRank.Compress(weight, importance, basis, new LowRankSettings { Rank = rank, CodeBits = 8 });
            TestContext.Current.TestOutputHelper?.WriteLine(
                $"rank {rank}: predicted {predicted[rank]:E4} measured {result.Error.WeightedSquaredError:E4} ratio {predicted[rank] / result.Error.WeightedSquaredError:F4} tail {basis.TailEnergy(rank):E4}");
            Assert.InRange(predicted[rank] / result.Error.WeightedSquaredError, 1 - Tolerance.QuantizedPrediction, 1 + Tolerance.QuantizedPrediction);
        }
    }

    [Fact]
    public void Refitting_the_right_factor_lowers_the_error()
    {
        var weight = Samples.Decaying(150, 80, 1, 1);
        var basis = Basis(weight, Importance.None, 40);
        double refitted = LowRank.Compress(weight, Importance.None, basis, new LowRankSettings { Rank = 40, CodeBits = 8 }).Error.SquaredError;
        var plain = (ProductMatrix)LowRank.Compress(weight, Importance.None, basis, new LowRankSettings { Rank = 40 }).Structure;
        var coded = new ProductMatrix(
            RoundToNearest.Quantize(plain.Left.ToDense(), new QuantizedForm(150, 40, 8, true, QuantizationGranularity.PerColumn)),
            RoundToNearest.Quantize(plain.Right.ToDense(), new QuantizedForm(40, 80, 8, true, QuantizationGranularity.PerRow)));
        Assert.True(refitted < ErrorMeasure.Measure(weight, coded, Importance.None).SquaredError);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(8)]
    public void Degenerate_weights_give_the_right_result(int? codeBits)
    {
        foreach (var (m, n) in new[] { (1, 6), (6, 1), (8, 4), (4, 8) })
        {
            foreach (float value in new[] { 0, 1, 1e-40f, 1e37f })
            {
                var weight = new Matrix(m, n);
                weight.Values.AsSpan().Fill(value);
                for (int rank = 1; rank <= Math.Min(m, n); rank++)
                {
                    var result = LowRank.Compress(
                        weight, Importance.None, Basis(weight, Importance.None, rank), new LowRankSettings { Rank = rank, CodeBits = codeBits });
                    Assert.All(result.Structure.ToDense().Values, entry => Assert.InRange(entry, value * 0.98f, value * 1.02f));
                }
            }
        }

        var some = Samples.Normal(9, 5, 1);
        var never = new Importance { RowWeights = new double[9] };
        Assert.Equal(0, LowRank.Compress(some, never, Basis(some, never, 3), new LowRankSettings { Rank = 3, CodeBits = codeBits }).Error.WeightedSquaredError);
    }

    [Fact]
    public void Threads_do_not_change_a_bit()
    {
        var weight = Samples.Decaying(300, 90, 0.5, 1);
        var basis = Basis(weight, Importance.None, 30);
        foreach (int? codeBits in new int?[] { null, 8 })
        {
            var settings = new LowRankSettings { Rank = 30, CodeBits = codeBits };
            var expected = LowRank.Compress(weight, Importance.None, basis, settings, threads: 1);
            var actual = LowRank.Compress(weight, Importance.None, basis, settings, threads: 16);
            Assert.Equal(expected.Structure.ToDense().Values, actual.Structure.ToDense().Values);
            Assert.Equal(expected.Error, actual.Error);
        }
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        var weight = Samples.Normal(6, 4, 1);
        var basis = Basis(weight, Importance.None, 3);
        Assert.Throws<ArgumentOutOfRangeException>(() => LowRank.Compress(weight, Importance.None, basis, new LowRankSettings { Rank = 0 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => LowRank.Compress(weight, Importance.None, basis, new LowRankSettings { Rank = 4 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => LowRank.Compress(weight, Importance.None, basis, new LowRankSettings { Rank = 1, CodeBits = 4 }));
        Assert.Throws<ArgumentException>(() => LowRank.Compress(Samples.Normal(4, 6, 1), Importance.None, basis, new LowRankSettings { Rank = 1 }));
        var huge = new Matrix(2, 9);
        huge.Values.AsSpan().Fill(float.MaxValue);
        Assert.Contains(
            "f32",
            Assert.Throws<ArgumentException>(() => LowRank.Compress(huge, Importance.None, Basis(huge, Importance.None, 1), new LowRankSettings { Rank = 1 })).Message,
            StringComparison.Ordinal);
    }

    private static LowRankBasis Basis(Matrix weight, Importance importance, int maxRank) =>
        LowRankBasis.Compute(weight, importance, maxRank, 7, 1, TestContext.Current.CancellationToken);
}
