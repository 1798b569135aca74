using Condense.Engine.Kernels;
using Condense.Engine.Matrices;

namespace Condense.Engine.Factorizations;

/// <summary>The whole spectrum of <c>√D·W</c> from the Gram matrix of its smaller side, in f64.</summary>
internal static class GramSpectrum
{
    /// <summary>Squared values below this part of the largest are rounding of the Gram matrix: their left vectors say nothing.</summary>
    private const double Rounding = 1e-14;

    /// <summary>Factorizes a weight. O(m·n·s + s³), s = min(m, n).</summary>
    /// <param name="weight">W, m×n, finite.</param>
    /// <param name="rowWeights">The diagonal of D, in 0 … 1; null: the identity.</param>
    /// <param name="count">How many vectors, ≤ min(m, n).</param>
    /// <param name="threads">Degree of parallelism.</param>
    /// <param name="cancellationToken">Stops between steps.</param>
    public static Spectrum Compute(Matrix weight, double[]? rowWeights, int count, int threads, CancellationToken cancellationToken)
    {
        if (weight.Rows >= weight.Columns)
        {
            var columns = SymmetricEigen.Compute(
                Gram.OfColumns(weight, rowWeights, threads), weight.Columns, count, threads, cancellationToken);
            return new Spectrum(NotNegative(columns.Values), new Matrix(count, weight.Columns, Array.ConvertAll(columns.Vectors, value => (float)value)));
        }

        int m = weight.Rows;
        var gram = Gram.OfRows(weight, threads);
        for (int i = 0; rowWeights is not null && i < m; i++)
        {
            for (int j = 0; j < m; j++)
            {
                gram[(i * m) + j] *= Math.Sqrt(rowWeights[i] * rowWeights[j]);
            }
        }

        var rows = SymmetricEigen.Compute(gram, m, count, threads, cancellationToken);
        var values = NotNegative(rows.Values);

        // V = (√D·W)ᵀ·U·Σ⁻¹. Where σ is rounding the column stays zero, and orthonormalization puts any completion in its place.
        var scaled = new double[m * count];
        for (int j = 0; j < count && values[j] > Rounding * values[0]; j++)
        {
            double inverse = 1 / Math.Sqrt(values[j]);
            for (int i = 0; i < m; i++)
            {
                scaled[(i * count) + j] = rows.Vectors[(j * m) + i] * Math.Sqrt(rowWeights?[i] ?? 1) * inverse;
            }
        }

        var right = OrthonormalBasis.MultiplyInDouble(Operand.Of(weight).Transposed, scaled, count, threads);
        return new Spectrum(values, OrthonormalBasis.Of(right, threads).Transpose());
    }

    /// <summary>Rounding leaves eigenvalues of a Gram matrix a little below zero.</summary>
    private static double[] NotNegative(double[] values) => Array.ConvertAll(values, value => Math.Max(value, 0));
}
