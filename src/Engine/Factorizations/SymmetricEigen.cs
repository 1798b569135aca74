using System.Numerics.Tensors;

namespace Condense.Engine.Factorizations;

/// <summary>Eigenvalues and eigenvectors of a symmetric matrix, in f64: <c>A = Zᵀ·diag(λ)·Z</c>.</summary>
/// <remarks>
/// Reduction to tridiagonal form by reflections, then QL steps with implicit shifts (Golub and Van Loan, Matrix Computations, 8.3). The same bits on any
/// number of threads.
/// </remarks>
internal sealed class SymmetricEigen
{
    /// <summary>QL needs two or three steps for an eigenvalue; LAPACK gives up after 30.</summary>
    private const int MaxSteps = 60;

    private SymmetricEigen(double[] values, double[] vectors)
    {
        Values = values;
        Vectors = vectors;
    }

    /// <summary>All n eigenvalues, descending.</summary>
    public double[] Values { get; }

    /// <summary>count×n: row j belongs to <c>Values[j]</c>; the rows are orthonormal.</summary>
    public double[] Vectors { get; }

    /// <summary>Factorizes a matrix. O(n³).</summary>
    /// <param name="matrix">n×n, row-major, finite; only its lower triangle is read. It is overwritten.</param>
    /// <param name="n">The order, ≥ 0.</param>
    /// <param name="count">How many eigenvectors are wanted: those of the largest eigenvalues.</param>
    /// <param name="threads">Degree of parallelism, ≥ 1.</param>
    /// <param name="cancellationToken">Stops the reduction and the QL steps.</param>
    /// <exception cref="ArithmeticException">The matrix holds a number that is not finite.</exception>
    public static SymmetricEigen Compute(double[] matrix, int n, int count, int threads, CancellationToken cancellationToken)
    {
        double largest = matrix.Length == 0 ? 0 : Math.Abs(TensorPrimitives.MaxMagnitude(matrix));
        if (!double.IsFinite(largest))
        {
            throw new ArithmeticException("The symmetric matrix holds a number that is not finite.");
        }

        // Near 1 no square of an entry that matters overflows or vanishes; a power of two changes no digit.
        int exponent = largest == 0 ? 0 : Math.ILogB(largest);
        TensorPrimitives.Multiply(matrix, Math.ScaleB(1, -exponent), matrix);
        var tridiagonal = Tridiagonal.Reduce(matrix, n, cancellationToken);
        var values = tridiagonal.Diagonal;
        var batch = new RotationBatch(n, threads);
        Diagonalize(values, (double[])tridiagonal.OffDiagonal.Clone(), batch, cancellationToken);

        var order = new int[n];
        for (int i = 0; i < n; i++)
        {
            order[i] = i;
        }

        // Equal values keep the order of their rows, whatever the sort does.
        Array.Sort(order, (i, j) => values[i] == values[j] ? i.CompareTo(j) : values[j].CompareTo(values[i]));
        var vectors = batch.Gather(order.AsSpan(0, count));
        tridiagonal.Transform(vectors, count, threads);
        return new SymmetricEigen(Array.ConvertAll(order, i => Math.ScaleB(values[i], exponent)), vectors);
    }

    private static void Diagonalize(double[] d, double[] e, RotationBatch batch, CancellationToken cancellationToken)
    {
        int n = d.Length;
        double norm = 0;
        for (int i = 0; i < n; i++)
        {
            norm = Math.Max(norm, Math.Abs(d[i]) + Math.Abs(e[i]));
        }

        // Backward error of the reduction is ε·norm already: a smaller coupling is none.
        double negligible = norm * 5.6e-17;
        for (int l = 0; l < n; l++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            for (int steps = 0; true; steps++)
            {
                int m = l;
                while (m < n - 1 && Math.Abs(e[m]) > negligible)
                {
                    m++;
                }

                if (m == l)
                {
                    break;
                }

                if (steps == MaxSteps)
                {
                    throw new ArithmeticException($"QL did not converge: eigenvalue {l} of {n} after {MaxSteps} steps.");
                }

                Step(d, e, l, m, batch);
            }
        }
    }

    /// <summary>One implicit QL step on rows l … m, with Wilkinson's shift.</summary>
    private static void Step(double[] d, double[] e, int l, int m, RotationBatch batch)
    {
        double g = (d[l + 1] - d[l]) / (2 * e[l]);
        double r = double.Hypot(g, 1);
        g = d[m] - d[l] + (e[l] / (g + Math.CopySign(r, g)));
        double s = 1, c = 1, p = 0;
        for (int i = m - 1; i >= l; i--)
        {
            double f = s * e[i];
            double b = c * e[i];
            r = double.Hypot(f, g);
            e[i + 1] = r;
            if (r == 0)
            {
                // The bulge vanished: the matrix splits here.
                d[i + 1] -= p;
                e[m] = 0;
                return;
            }

            s = f / r;
            c = g / r;
            g = d[i + 1] - p;
            r = ((d[i] - g) * s) + (2 * c * b);
            p = s * r;
            d[i + 1] = g + p;
            g = (c * r) - b;
            batch.Add(i, c, s);
        }

        d[l] -= p;
        e[l] = g;
        e[m] = 0;
    }
}
