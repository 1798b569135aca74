using Condense.Engine.Factorizations;
using Condense.Engine.Kernels;
using Condense.Engine.Matrices;
using Condense.Engine.Methods;

namespace Condense.Engine.Tests.Factorizations;

public sealed class LowRankBasisTests
{
    public static TheoryData<int, int> Shapes => new() { { 1, 1 }, { 1, 9 }, { 9, 1 }, { 40, 40 }, { 97, 30 }, { 30, 97 }, { 300, 65 } };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void The_singular_values_carry_the_whole_weighted_energy(int m, int n)
    {
        var weight = Samples.Decaying(m, n, 0.7, 1);
        foreach (var weights in new[] { null, Samples.RowWeights(m, 2) })
        {
            var basis = Compute(weight, weights, int.MaxValue);
            double energy = 0;
            for (int i = 0; i < m; i++)
            {
                energy += (weights?[i] ?? 1) * weight.Row(i).ToArray().Sum(value => (double)value * value);
            }

            Assert.Equal(Math.Min(m, n), basis.Rank);
            AssertRelative(energy, basis.TotalEnergy, Tolerance.Identity);
            AssertRelative(energy, basis.SingularValues.Sum(value => value * value), Tolerance.Identity);
            AssertRelative(energy, basis.TailEnergy(0), Tolerance.Identity);
            Assert.Equal(0, basis.TailEnergy(basis.Rank));
            Assert.Equal(basis.SingularValues.OrderDescending(), basis.SingularValues);
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void The_right_vectors_are_orthonormal_with_a_fixed_sign(int m, int n)
    {
        foreach (var weights in new[] { null, Samples.RowWeights(m, 2) })
        {
            AssertOrthonormal(Compute(Samples.Normal(m, n, 1), weights, int.MaxValue).RightVectors);
        }
    }

    [Fact]
    public void Projecting_on_the_first_vectors_leaves_exactly_the_tail()
    {
        // Identities 1 and 2 in f64: Σ wᵢ‖Wᵢ − WᵢVᵣVᵣᵀ‖² = Σ over j ≥ r of σⱼ², from the Gram matrix WᵀDW alone, with tr(VᵣᵀGVᵣ) captured.
        var weight = Samples.Decaying(200, 60, 0.5, 1);
        foreach (var weights in new[] { null, Samples.RowWeights(200, 2) })
        {
            var basis = Compute(weight, weights, 60);
            var gram = Gram.OfColumnsReference(weight, weights);
            double captured = 0;
            for (int r = 1; r <= 60; r++)
            {
                double[] vector = Array.ConvertAll(basis.RightVectors.Row(r - 1).ToArray(), value => (double)value);
                double norm = vector.Sum(value => value * value);
                for (int i = 0; i < 60; i++)
                {
                    captured += vector[i] * VectorArithmetic.Dot(gram.AsSpan(i * 60, 60), vector) / norm;
                }

                Assert.InRange(Math.Abs(basis.TotalEnergy - captured - basis.TailEnergy(r)), 0, Tolerance.Identity * basis.TotalEnergy);
            }
        }
    }

    [Theory]
    [InlineData(120, 50)]
    [InlineData(50, 120)]
    public void A_planted_rank_is_found(int m, int n)
    {
        var basis = Compute(Samples.OfRank(m, n, 7, 1), null, 20);
        Assert.True(basis.SingularValues[6] > 1e-2 * basis.SingularValues[0]);
        Assert.True(basis.SingularValues[7] < Tolerance.PlantedRank * basis.SingularValues[0]);
        Assert.InRange(Math.Sqrt(basis.TailEnergy(7) / basis.TotalEnergy), 0, Tolerance.PlantedRank);
        AssertOrthonormal(basis.RightVectors);
    }

    [Fact]
    public void Degenerate_weights_have_a_basis()
    {
        foreach (var (m, n) in new[] { (0, 5), (5, 0), (0, 0), (1, 6), (6, 1), (8, 4), (4, 8) })
        {
            foreach (float value in new[] { 0, 1, float.Epsilon, 1e-40f, 1e-20f, 1e18f, 1e37f })
            {
                var weight = new Matrix(m, n);
                weight.Values.AsSpan().Fill(value);
                var basis = Compute(weight, null, 3);
                Assert.Equal(Math.Min(3, Math.Min(m, n)), basis.Rank);
                AssertOrthonormal(basis.RightVectors);
                AssertRelative(m * (double)n * value * value, basis.TotalEnergy, Tolerance.Identity);
                if (basis.Rank > 0)
                {
                    AssertRelative(Math.Sqrt(m * (double)n) * value, basis.SingularValues[0], Tolerance.Identity);
                }
            }
        }
    }

    [Fact]
    public void Rows_that_never_count_and_huge_weights_are_harmless()
    {
        var weight = Samples.Normal(30, 10, 1);
        Assert.Equal(0, Compute(weight, new double[30], 4).TotalEnergy);
        var huge = Samples.RowWeights(30, 2);
        var scaled = Array.ConvertAll(huge, value => value * 1e290);
        var expected = Compute(weight, huge, 4);
        var actual = Compute(weight, scaled, 4);
        AssertRelative(expected.TotalEnergy * 1e290, actual.TotalEnergy, Tolerance.Identity);
        Assert.InRange(Samples.Distance(expected.RightVectors, actual.RightVectors), 0, Tolerance.FloatOrthonormal);
    }

    [Fact]
    public void Wrong_inputs_are_refused_with_the_cause()
    {
        var weight = Samples.Normal(4, 3, 1);
        Assert.Throws<ArgumentException>(() => Compute(weight, [1, 2, 3], 2));
        Assert.Throws<ArgumentException>(() => Compute(weight, [1, 2, 3, -1], 2));
        Assert.Throws<ArgumentException>(() => Compute(weight, [1, 2, 3, double.NaN], 2));
        weight[2, 1] = float.NaN;
        Assert.Contains("(2, 1)", Assert.Throws<ArgumentException>(() => Compute(weight, null, 2)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => Compute(Samples.Normal(4, 3, 1), null, 2).TailEnergy(3));
    }

    [Theory]
    [InlineData(400, 90)]
    [InlineData(90, 400)]
    public void Threads_do_not_change_a_bit(int m, int n)
    {
        var weight = Samples.Decaying(m, n, 0.5, 1);
        var weights = Samples.RowWeights(m, 2);
        var expected = Compute(weight, weights, 30);
        foreach (int threads in new[] { 2, 16 })
        {
            var actual = LowRankBasis.Compute(weight, new Importance { RowWeights = weights }, 30, 7, threads, TestContext.Current.CancellationToken);
            Assert.Equal(expected.RightVectors.Values, actual.RightVectors.Values);
            Assert.Equal(expected.SingularValues, actual.SingularValues);
            Assert.Equal(expected.Left.Peaks, actual.Left.Peaks);
            Assert.Equal(expected.Left.Leverage, actual.Left.Leverage);
        }
    }

    private static LowRankBasis Compute(Matrix weight, double[]? weights, int maxRank) =>
        LowRankBasis.Compute(weight, new Importance { RowWeights = weights }, maxRank, 7, 1, TestContext.Current.CancellationToken);

    private static void AssertRelative(double expected, double actual, double tolerance) =>
        Assert.InRange(Math.Abs(expected - actual), 0, tolerance * Math.Abs(expected));

    private static void AssertOrthonormal(Matrix rows)
    {
        for (int i = 0; i < rows.Rows; i++)
        {
            float[] row = rows.Row(i).ToArray();
            Assert.True(row.MaxBy(Math.Abs) > 0);
            for (int j = 0; j <= i; j++)
            {
                double dot = row.Zip(rows.Row(j).ToArray(), (x, y) => (double)x * y).Sum();
                Assert.InRange(Math.Abs(dot - (i == j ? 1 : 0)), 0, Tolerance.FloatOrthonormal);
            }
        }
    }
}
