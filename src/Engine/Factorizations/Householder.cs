using Condense.Engine.Kernels;
using Condense.Engine.Matrices;

namespace Condense.Engine.Factorizations;

/// <summary>Orthonormal columns by reflections, in f64: slower than Cholesky-QR, and indifferent to columns that depend on each other.</summary>
internal static class Householder
{
    /// <summary>The first l columns of Q in <c>A = Q·R</c>. O(4·n·l²).</summary>
    /// <param name="matrix">n×l, l ≤ n.</param>
    public static Matrix OrthonormalColumns(Matrix matrix)
    {
        int n = matrix.Rows, l = matrix.Columns;

        // Column j of A is row j here, so that every vector is contiguous; the reflections take the columns' place.
        var columns = Array.ConvertAll(matrix.Transpose().Values, value => (double)value);
        var tau = new double[l];
        for (int j = 0; j < l; j++)
        {
            var u = columns.AsSpan((j * n) + j, n - j);
            double norm = Math.Sqrt(VectorArithmetic.Dot(u, u));
            if (norm == 0)
            {
                continue;
            }

            double alpha = u[0] >= 0 ? -norm : norm;
            u[0] -= alpha;
            tau[j] = 2 / VectorArithmetic.Dot(u, u);
            for (int k = j + 1; k < l; k++)
            {
                Reflect(u, tau[j], columns.AsSpan((k * n) + j, n - j));
            }
        }

        var basis = new double[l * n];
        for (int k = 0; k < l; k++)
        {
            // Qeₖ: only reflections 0 … k reach the k-th unit vector.
            basis[(k * n) + k] = 1;
            for (int j = k; j >= 0; j--)
            {
                Reflect(columns.AsSpan((j * n) + j, n - j), tau[j], basis.AsSpan((k * n) + j, n - j));
            }
        }

        return new Matrix(l, n, Array.ConvertAll(basis, value => (float)value)).Transpose();
    }

    private static void Reflect(ReadOnlySpan<double> u, double tau, Span<double> vector) =>
        VectorArithmetic.AddScaled(-tau * VectorArithmetic.Dot(u, vector), u, vector);
}
