using Condense.Engine.Kernels;

namespace Condense.Engine.Factorizations;

/// <summary>
/// A symmetric matrix as <c>Q·T·Qᵀ</c>, T tridiagonal, Q a product of reflections <c>I − τₖ·uₖ·uₖᵀ</c> (Golub and Van Loan, Matrix Computations,
/// 8.3.1, from the last row upwards so that every vector is a run of a row).
/// </summary>
internal sealed class Tridiagonal
{
    /// <summary>Vectors that one pass over the reflections serves: 8 of 1500 entries stay in the second-level cache.</summary>
    private const int VectorsPerPass = 8;

    /// <summary>A row this short beside entries near 1 is zero; the square of anything shorter would vanish.</summary>
    private const double Negligible = 1e-140;

    private readonly double[] _reflections;
    private readonly double[] _tau;

    private Tridiagonal(double[] reflections, double[] tau, double[] diagonal, double[] offDiagonal)
    {
        _reflections = reflections;
        _tau = tau;
        Diagonal = diagonal;
        OffDiagonal = offDiagonal;
    }

    /// <summary>n entries.</summary>
    public double[] Diagonal { get; }

    /// <summary>Entry i couples i and i + 1; n entries, the last is 0.</summary>
    public double[] OffDiagonal { get; }

    /// <summary>Reduces a matrix. O(4n³/3), one pass over the lower triangle per reflection.</summary>
    /// <param name="matrix">n×n, row-major, largest entry near 1 or all zero; only its lower triangle is read. It is overwritten and kept.</param>
    /// <param name="n">The order.</param>
    /// <param name="cancellationToken">Stops between reflections.</param>
    public static Tridiagonal Reduce(double[] matrix, int n, CancellationToken cancellationToken)
    {
        var tau = new double[n];
        var diagonal = new double[n];
        var offDiagonal = new double[n];
        var image = new double[n];
        var next = new double[n];

        // The rank-2 update of a reflection waits until the next one passes over the same rows: half the memory traffic.
        int pending = 0;
        for (int k = n - 1; k >= 1; k--)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var row = matrix.AsSpan(k * n, k + 1);
            Update(row, k, pending, matrix, n, image);
            diagonal[k] = row[k];
            var u = row[..k];
            double norm = Math.Sqrt(VectorArithmetic.Dot(u, u));
            if (norm < Negligible)
            {
                u.Clear();
                norm = 0;
            }

            double alpha = u[k - 1] >= 0 ? -norm : norm;
            offDiagonal[k - 1] = alpha;
            if (norm > 0)
            {
                tau[k] = 1 / ((norm * norm) - (alpha * u[k - 1]));
                u[k - 1] -= alpha;
            }

            next.AsSpan(0, k).Clear();
            for (int i = 0; i < k; i++)
            {
                var lower = matrix.AsSpan(i * n, i + 1);
                Update(lower, i, pending, matrix, n, image);
                next[i] += VectorArithmetic.Dot(lower[..i], u[..i]) + (lower[i] * u[i]);
                VectorArithmetic.AddScaled(u[i], lower[..i], next.AsSpan(0, i));
            }

            // w = τ·A·u − ½τ·(τ·uᵀ·A·u)·u: then (I − τuuᵀ)·A·(I − τuuᵀ) = A − u·wᵀ − w·uᵀ.
            for (int i = 0; i < k; i++)
            {
                next[i] *= tau[k];
            }

            VectorArithmetic.AddScaled(-0.5 * tau[k] * VectorArithmetic.Dot(next.AsSpan(0, k), u), u, next.AsSpan(0, k));
            (image, next) = (next, image);
            pending = k;
        }

        if (n > 0)
        {
            Update(matrix.AsSpan(0, 1), 0, pending, matrix, n, image);
            diagonal[0] = matrix[0];
        }

        return new Tridiagonal(matrix, tau, diagonal, offDiagonal);
    }

    /// <summary>Turns eigenvectors of T into eigenvectors of the matrix. O(2·n²·count).</summary>
    /// <param name="vectors">count×n, one vector a row.</param>
    /// <param name="count">How many.</param>
    /// <param name="threads">Degree of parallelism.</param>
    public void Transform(double[] vectors, int count, int threads)
    {
        int n = Diagonal.Length;
        RowBlocks.ForEach(count, VectorsPerPass, threads, (_, start, rows) =>
        {
            for (int k = 1; k < n; k++)
            {
                var u = _reflections.AsSpan(k * n, k);
                for (int row = start; row < start + rows; row++)
                {
                    var vector = vectors.AsSpan(row * n, k);
                    VectorArithmetic.AddScaled(-_tau[k] * VectorArithmetic.Dot(u, vector), u, vector);
                }
            }
        });
    }

    /// <summary>Row i of the update <c>A − u·wᵀ − w·uᵀ</c>, u the reflection of row <paramref name="pending"/>; nothing when none waits.</summary>
    private static void Update(Span<double> lower, int i, int pending, double[] matrix, int n, double[] image)
    {
        if (pending > 0)
        {
            var u = matrix.AsSpan(pending * n, i + 1);
            VectorArithmetic.AddScaled(-u[i], image.AsSpan(0, i + 1), -image[i], u, lower);
        }
    }
}
