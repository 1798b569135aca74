using Condense.Engine.Kernels;
using Condense.Engine.Matrices;

namespace Condense.Engine.Factorizations;

/// <summary>Makes columns orthonormal without changing the span of any first k of them.</summary>
internal static class OrthonormalBasis
{
    /// <summary>Below this part of its own length a column counts as lying in the span of those before it.</summary>
    private const double Dependent = 1e-10;

    /// <summary>
    /// Orthonormalizes the columns: Cholesky-QR twice (Yamamoto et al., Roundoff error analysis of the CholeskyQR2 algorithm, 2015) on columns of length
    /// 1, or reflections where they depend on each other. Columns that depend on those before them become any that complete the basis.
    /// </summary>
    /// <param name="columns">n×l, l ≤ n, finite; not changed.</param>
    /// <param name="threads">Degree of parallelism.</param>
    /// <returns>n×l, orthonormal to the rounding of f32. O(n·l²).</returns>
    public static Matrix Of(Matrix columns, int threads)
    {
        var basis = columns;
        for (int pass = 0; pass < 2; pass++)
        {
            if (TryCholesky(basis, threads) is not { } better)
            {
                return Householder.OrthonormalColumns(columns);
            }

            basis = better;
        }

        return basis;
    }

    private static Matrix? TryCholesky(Matrix columns, int threads)
    {
        int l = columns.Columns;
        var gram = Gram.OfColumns(columns, null, threads);
        var inverseNorms = new double[l];
        for (int j = 0; j < l; j++)
        {
            inverseNorms[j] = 1 / Math.Sqrt(gram[(j * l) + j]);
            if (!double.IsFinite(inverseNorms[j]))
            {
                return null;
            }
        }

        for (int i = 0; i < l; i++)
        {
            for (int j = 0; j < l; j++)
            {
                gram[(i * l) + j] *= inverseNorms[i] * inverseNorms[j];
            }
        }

        if (Cholesky.TryFactorize(gram, l, Dependent) is not { } factor)
        {
            return null;
        }

        var inverse = factor.InverseTransposed();
        var basis = new double[inverse.Length];
        for (int i = 0; i < l; i++)
        {
            for (int j = i; j < l; j++)
            {
                basis[(i * l) + j] = inverse[(i * l) + j] * inverseNorms[i];
            }
        }

        return MultiplyInDouble(Operand.Of(columns), basis, l, threads);
    }

    /// <summary><c>A·B</c> with B in f64, a block of rows at a time; each entry is rounded to f32 once. O(m·k·columns).</summary>
    /// <param name="a">m×k.</param>
    /// <param name="b">k×columns, row-major.</param>
    /// <param name="columns">Columns of B.</param>
    /// <param name="threads">Degree of parallelism.</param>
    public static Matrix MultiplyInDouble(Operand<float> a, double[] b, int columns, int threads)
    {
        var product = new Matrix(a.Rows, columns);
        RowBlocks.ForEach(a.Rows, RowBlocks.Streaming, threads, (_, start, rows) =>
        {
            var sums = new double[rows * columns];
            BlockedProduct.Compute(a.RowRange(start, rows), Operand.Of(b, a.Columns, columns), Operand.Of(sums, rows, columns), threads: 1);
            for (int i = 0; i < sums.Length; i++)
            {
                product.Values[(start * columns) + i] = (float)sums[i];
            }
        });
        return product;
    }
}
