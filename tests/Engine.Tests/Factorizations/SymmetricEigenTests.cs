using Condense.Engine.Factorizations;
using Condense.Engine.Kernels;
using MathNet.Numerics.LinearAlgebra;
using Double = MathNet.Numerics.LinearAlgebra.Double;

namespace Condense.Engine.Tests.Factorizations;

public sealed class SymmetricEigenTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(31)]
    [InlineData(32)]
    [InlineData(33)]
    [InlineData(150)]
    public void Values_equal_MathNets_and_vectors_diagonalize(int n)
    {
        var gram = Gram.OfColumns(Samples.Decaying(2 * n, n, 1, n));
        var expected = Double.DenseMatrix.OfColumnMajor(n, n, gram).Evd(Symmetricity.Symmetric).EigenValues.Select(value => value.Real).Order().Reverse().ToArray();
        AssertDiagonalizes(gram, n, Compute(gram, n));
        var values = Compute(gram, n).Values;
        for (int i = 0; i < n; i++)
        {
            Assert.InRange(Math.Abs(values[i] - expected[i]), 0, Tolerance.Eigen * expected[0]);
        }
    }

    [Fact]
    public void Degenerate_matrices_are_diagonalized()
    {
        const int N = 40;
        var zero = new double[N * N];
        var identity = new double[N * N];
        var ones = new double[N * N];
        var graded = new double[N * N];
        var indefinite = new double[N * N];
        for (int i = 0; i < N; i++)
        {
            identity[(i * N) + i] = 1;
            graded[(i * N) + i] = Math.Pow(10, -i);
            for (int j = 0; j < N; j++)
            {
                ones[(i * N) + j] = 1;
                indefinite[(i * N) + j] = i == j ? 0 : 1.0 / (i + j);
            }
        }

        foreach (var matrix in new[] { zero, identity, ones, graded, indefinite })
        {
            AssertDiagonalizes(matrix, N, Compute(matrix, N));
            foreach (double scale in new[] { 1e-90, 1e80 })
            {
                var scaled = Array.ConvertAll(matrix, value => value * scale);
                AssertDiagonalizes(scaled, N, Compute(scaled, N));
            }
        }
    }

    [Fact]
    public void An_empty_matrix_has_no_values() => Assert.Empty(SymmetricEigen.Compute([], 0, 0, 1, TestContext.Current.CancellationToken).Values);

    [Fact]
    public void Threads_do_not_change_a_bit()
    {
        var gram = Gram.OfColumns(Samples.Normal(300, 203, 1));
        var expected = Compute(gram, 203);
        foreach (int threads in new[] { 2, 16 })
        {
            var actual = SymmetricEigen.Compute((double[])gram.Clone(), 203, 203, threads, TestContext.Current.CancellationToken);
            Assert.Equal(expected.Values, actual.Values);
            Assert.Equal(expected.Vectors, actual.Vectors);
        }
    }

    [Fact]
    public void Fewer_vectors_are_the_first_of_all()
    {
        var gram = Gram.OfColumns(Samples.Normal(90, 70, 1));
        var some = SymmetricEigen.Compute((double[])gram.Clone(), 70, 9, 1, TestContext.Current.CancellationToken);
        Assert.Equal(Compute(gram, 70).Vectors[..(9 * 70)], some.Vectors);
    }

    [Fact]
    public void Numbers_that_are_not_finite_are_an_error() =>
        Assert.Throws<ArithmeticException>(() => SymmetricEigen.Compute([1, double.NaN, double.NaN, 1], 2, 2, 1, CancellationToken.None));

    [Fact]
    public void A_cancelled_token_stops_it() =>
        Assert.Throws<OperationCanceledException>(() => SymmetricEigen.Compute(new double[9], 3, 3, 1, new CancellationToken(canceled: true)));

    private static SymmetricEigen Compute(double[] matrix, int n) =>
        SymmetricEigen.Compute((double[])matrix.Clone(), n, n, 1, TestContext.Current.CancellationToken);

    private static void AssertDiagonalizes(double[] matrix, int n, SymmetricEigen eigen)
    {
        double norm = Math.Sqrt(matrix.Sum(value => value * value));
        for (int v = 0; v < n; v++)
        {
            Assert.True(v == 0 || eigen.Values[v] <= eigen.Values[v - 1]);
            var vector = eigen.Vectors.AsSpan(v * n, n);
            for (int i = 0; i < n; i++)
            {
                double residual = VectorArithmetic.Dot(matrix.AsSpan(i * n, n), vector) - (eigen.Values[v] * vector[i]);
                Assert.InRange(Math.Abs(residual), 0, Tolerance.Eigen * norm);
            }

            for (int u = 0; u <= v; u++)
            {
                double dot = VectorArithmetic.Dot(vector, eigen.Vectors.AsSpan(u * n, n));
                Assert.InRange(Math.Abs(dot - (u == v ? 1 : 0)), 0, Tolerance.DoubleOrthonormal);
            }
        }
    }
}
