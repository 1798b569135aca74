using Condense.Engine.Kernels;

namespace Condense.Engine.Factorizations;

/// <summary><c>A = L·Lᵀ</c> of a symmetric positive definite matrix, in f64.</summary>
internal sealed class Cholesky
{
    private readonly double[] _lower;
    private readonly int _n;

    private Cholesky(double[] lower, int n)
    {
        _lower = lower;
        _n = n;
    }

    /// <summary>Factorizes a matrix. O(n³/3).</summary>
    /// <param name="matrix">n×n, row-major; only its lower triangle is read. It is overwritten and kept.</param>
    /// <param name="n">The order.</param>
    /// <param name="leastPivot">A squared pivot at or below this part of its diagonal entry counts as a loss of rank.</param>
    /// <returns>The factor, or null when the matrix is not positive definite.</returns>
    public static Cholesky? TryFactorize(double[] matrix, int n, double leastPivot)
    {
        for (int i = 0; i < n; i++)
        {
            var row = matrix.AsSpan(i * n, i + 1);
            for (int j = 0; j < i; j++)
            {
                var upper = matrix.AsSpan(j * n, j + 1);
                row[j] = (row[j] - VectorArithmetic.Dot(row[..j], upper[..j])) / upper[j];
            }

            double pivot = row[i] - VectorArithmetic.Dot(row[..i], row[..i]);
            if (!(pivot > leastPivot * row[i]))
            {
                return null;
            }

            row[i] = Math.Sqrt(pivot);
        }

        return new Cholesky(matrix, n);
    }

    /// <summary><c>X ← A⁻¹·X</c>. O(n²·columns).</summary>
    /// <param name="x">n×columns, row-major.</param>
    /// <param name="columns">Columns of X.</param>
    public void Solve(double[] x, int columns)
    {
        for (int i = 0; i < _n; i++)
        {
            var row = x.AsSpan(i * columns, columns);
            for (int k = 0; k < i; k++)
            {
                VectorArithmetic.AddScaled(-_lower[(i * _n) + k], x.AsSpan(k * columns, columns), row);
            }

            Scale(row, 1 / _lower[(i * _n) + i]);
        }

        for (int i = _n - 1; i >= 0; i--)
        {
            var row = x.AsSpan(i * columns, columns);
            for (int k = i + 1; k < _n; k++)
            {
                VectorArithmetic.AddScaled(-_lower[(k * _n) + i], x.AsSpan(k * columns, columns), row);
            }

            Scale(row, 1 / _lower[(i * _n) + i]);
        }
    }

    /// <summary><c>L⁻ᵀ</c>, n×n, upper triangular: <c>Q = V·L⁻ᵀ</c> has orthonormal columns when A is the Gram matrix of V. O(n³/3).</summary>
    public double[] InverseTransposed()
    {
        // Row i of L⁻¹ from the rows above it; written as column i of the result's transpose, which is L⁻¹ itself.
        var inverse = new double[_n * _n];
        for (int i = 0; i < _n; i++)
        {
            var row = inverse.AsSpan(i * _n, i + 1);
            for (int k = 0; k < i; k++)
            {
                VectorArithmetic.AddScaled(-_lower[(i * _n) + k], inverse.AsSpan(k * _n, k + 1), row[..(k + 1)]);
            }

            row[i] = 1;
            Scale(row, 1 / _lower[(i * _n) + i]);
        }

        var transposed = new double[_n * _n];
        for (int i = 0; i < _n; i++)
        {
            for (int j = 0; j <= i; j++)
            {
                transposed[(j * _n) + i] = inverse[(i * _n) + j];
            }
        }

        return transposed;
    }

    private static void Scale(Span<double> row, double factor)
    {
        for (int j = 0; j < row.Length; j++)
        {
            row[j] *= factor;
        }
    }
}
