using Condense.Engine.Factorizations;
using Condense.Engine.Kernels;

namespace Condense.Engine.Tests.Factorizations;

public sealed class CholeskyTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(23)]
    public void Solves_and_inverts(int n)
    {
        var gram = Gram.OfColumns(Samples.Normal((3 * n) + 5, n, 1));
        var factor = Cholesky.TryFactorize((double[])gram.Clone(), n, 0)!;
        var x = Array.ConvertAll(Samples.Normal(n, 4, 2).Values, value => (double)value);
        var solved = (double[])x.Clone();
        factor.Solve(solved, 4);
        var inverse = factor.InverseTransposed();
        for (int i = 0; i < n; i++)
        {
            for (int j = 0; j < 4; j++)
            {
                double product = 0;
                for (int k = 0; k < n; k++)
                {
                    product += gram[(i * n) + k] * solved[(k * 4) + j];
                }

                Assert.InRange(Math.Abs(product - x[(i * 4) + j]), 0, Tolerance.Identity);
            }

            for (int j = 0; j < n; j++)
            {
                // L⁻¹·A·L⁻ᵀ = I
                double product = 0;
                for (int k = 0; k < n; k++)
                {
                    for (int l = 0; l < n; l++)
                    {
                        product += inverse[(k * n) + i] * gram[(k * n) + l] * inverse[(l * n) + j];
                    }
                }

                Assert.InRange(Math.Abs(product - (i == j ? 1 : 0)), 0, Tolerance.Identity);
            }
        }
    }

    [Fact]
    public void A_matrix_that_is_not_positive_definite_has_no_factor()
    {
        Assert.Null(Cholesky.TryFactorize([1, 2, 2, 1], 2, 0));
        Assert.Null(Cholesky.TryFactorize([0], 1, 0));
        Assert.Null(Cholesky.TryFactorize([1, 1, 1, 1 + 1e-13], 2, 1e-12));
        Assert.Null(Cholesky.TryFactorize([double.NaN], 1, 0));
    }
}
