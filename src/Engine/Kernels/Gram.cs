using Condense.Engine.Matrices;

namespace Condense.Engine.Kernels;

/// <summary>Gram matrices of f32 data, accumulated in f64.</summary>
public static class Gram
{
    /// <summary><c>Wᵀ·D·W</c>, D diagonal.</summary>
    /// <param name="weight">m×n.</param>
    /// <param name="rowWeights">The diagonal of D, m values; null: the identity.</param>
    /// <param name="threads">Degree of parallelism, ≥ 1. The result is the same, bit for bit, on any number.</param>
    /// <returns>n×n, row-major, exactly symmetric.</returns>
    /// <exception cref="ArgumentException">The number of row weights is not m, or n² passes <see cref="Array.MaxLength"/>.</exception>
    /// <remarks>O(m·n²/2) multiply-adds in f64: singular values down to 1e-8 of the largest survive the squaring.</remarks>
    public static double[] OfColumns(Matrix weight, double[]? rowWeights = null, int threads = 1)
    {
        ArgumentNullException.ThrowIfNull(weight);
        if (rowWeights is not null && rowWeights.Length != weight.Rows)
        {
            throw new ArgumentException($"{rowWeights.Length} row weights for {weight.Rows} rows.", nameof(rowWeights));
        }

        return Of(Operand.Of(weight), rowWeights, threads);
    }

    /// <summary><c>W·Wᵀ</c>.</summary>
    /// <param name="weight">m×n.</param>
    /// <param name="threads">Degree of parallelism, ≥ 1. The result is the same, bit for bit, on any number.</param>
    /// <returns>m×m, row-major, exactly symmetric.</returns>
    /// <exception cref="ArgumentException">m² passes <see cref="Array.MaxLength"/>.</exception>
    public static double[] OfRows(Matrix weight, int threads = 1)
    {
        ArgumentNullException.ThrowIfNull(weight);
        return Of(Operand.Of(weight).Transposed, null, threads);
    }

    /// <summary><c>Wᵀ·D·W</c> of a view.</summary>
    internal static double[] Of(in Operand<float> weight, double[]? rowWeights, int threads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        int n = weight.Columns;
        if ((long)n * n > Array.MaxLength)
        {
            throw new ArgumentException($"A Gram matrix of {n}×{n} does not fit in memory; factorize by subspace iteration instead.", nameof(weight));
        }

        var gram = new double[n * n];
        BlockedProduct.Compute(weight.Transposed, weight, Operand.Of(gram, n, n), threads, upperOnly: true, depthWeights: rowWeights);
        for (int i = 1; i < n; i++)
        {
            for (int j = 0; j < i; j++)
            {
                gram[(i * n) + j] = gram[(j * n) + i];
            }
        }

        return gram;
    }

    /// <summary><c>Wᵀ·D·W</c> by three plain loops: the oracle of <see cref="OfColumns"/>.</summary>
    internal static double[] OfColumnsReference(Matrix weight, double[]? rowWeights)
    {
        int n = weight.Columns;
        var gram = new double[n * n];
        for (int row = 0; row < weight.Rows; row++)
        {
            for (int i = 0; i < n; i++)
            {
                for (int j = 0; j < n; j++)
                {
                    gram[(i * n) + j] += (rowWeights?[row] ?? 1) * weight[row, i] * weight[row, j];
                }
            }
        }

        return gram;
    }
}
