using Condense.Engine.Factorizations;
using Condense.Engine.Kernels;

namespace Condense.Engine.Tests.Factorizations;

public sealed class SubspaceIterationTests
{
    [Theory]
    [InlineData(500, 300, 0.5, false, 1f)]
    [InlineData(300, 500, 0.5, true, 1f)]
    [InlineData(500, 300, 1.0, true, 1e-30f)]
    [InlineData(300, 500, 1.0, false, 1e30f)]
    public void The_error_is_within_its_promise_of_the_optimum(int m, int n, double decay, bool weighted, float scale)
    {
        const int Rank = 40;
        var weight = Samples.Decaying(m, n, decay, 1);
        for (int i = 0; i < weight.Values.Length; i++)
        {
            weight.Values[i] *= scale;
        }

        var weights = weighted ? Array.ConvertAll(Samples.RowWeights(m, 2), value => value / 1000) : null;
        var exact = GramSpectrum.Compute(weight, weights, Rank, 1, TestContext.Current.CancellationToken);
        double energy = exact.SquaredValues.Sum();
        var actual = SubspaceIteration.Compute(weight, weights, energy, Rank, 7, 1, TestContext.Current.CancellationToken);

        // The error that the vectors leave, from the Gram matrix in f64, at the wanted rank and at lower ones.
        var gram = Gram.OfColumns(weight, weights);
        double captured = 0;
        for (int r = 1; r <= Rank; r++)
        {
            double[] vector = Array.ConvertAll(actual.RightVectors.Row(r - 1).ToArray(), value => (double)value);
            for (int i = 0; i < n; i++)
            {
                captured += vector[i] * VectorArithmetic.Dot(gram.AsSpan(i * n, n), vector);
            }

            double optimum = Math.Sqrt(exact.SquaredValues.Skip(r).Sum());
            double reached = Math.Sqrt(energy - captured);
            Assert.InRange(reached / optimum, 1 - Tolerance.IdentityInFloat, 1 + Tolerance.SubspaceExcess);
            Assert.InRange(actual.SquaredValues[r - 1] / exact.SquaredValues[r - 1], 0.99, 1 + Tolerance.IdentityInFloat);
        }
    }

    [Fact]
    public void A_rank_below_the_wanted_one_ends_with_zeros()
    {
        var weight = Samples.OfRank(300, 200, 5, 1);
        double energy = Samples.SquaredNorm(weight);
        var spectrum = SubspaceIteration.Compute(weight, null, energy, 20, 7, 1, TestContext.Current.CancellationToken);
        Assert.InRange(spectrum.SquaredValues.Take(5).Sum() / energy, 1 - Tolerance.IdentityInFloat, 1 + Tolerance.IdentityInFloat);
        Assert.All(spectrum.SquaredValues.Skip(5), value => Assert.InRange(Math.Sqrt(value / energy), 0, Tolerance.PlantedRank));
    }

    [Fact]
    public void Threads_do_not_change_a_bit_and_the_seed_hardly_matters()
    {
        var weight = Samples.Decaying(400, 300, 0.5, 1);
        double energy = Samples.SquaredNorm(weight);
        var expected = SubspaceIteration.Compute(weight, null, energy, 30, 7, 1, TestContext.Current.CancellationToken);
        var threaded = SubspaceIteration.Compute(weight, null, energy, 30, 7, 3, TestContext.Current.CancellationToken);
        var seeded = SubspaceIteration.Compute(weight, null, energy, 30, 8, 1, TestContext.Current.CancellationToken);
        Assert.Equal(expected.SquaredValues, threaded.SquaredValues);
        Assert.Equal(expected.RightVectors.Values, threaded.RightVectors.Values);
        Assert.NotEqual(expected.RightVectors.Values, seeded.RightVectors.Values);
        double tail = energy - expected.SquaredValues.Sum();
        Assert.InRange(Math.Abs(expected.SquaredValues.Sum() - seeded.SquaredValues.Sum()) / tail, 0, 2 * Tolerance.SubspaceExcess);
    }

    [Fact]
    public void A_large_weight_takes_this_way()
    {
        var weight = Samples.OfRank(1600, 1510, 6, 1);
        var basis = LowRankBasis.Compute(weight, Condense.Engine.Methods.Importance.None, 8, 7, 2, TestContext.Current.CancellationToken);
        Assert.Equal(8, basis.SingularValues.Length);
        Assert.InRange(basis.TailEnergy(6) / basis.TotalEnergy, 0, Tolerance.SubspaceEnergy);
        Assert.True(basis.TailEnergy(5) > 1e-3 * basis.TotalEnergy);
    }
}
