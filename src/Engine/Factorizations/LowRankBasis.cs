using Condense.Engine.Kernels;
using Condense.Engine.Matrices;
using Condense.Engine.Methods;

namespace Condense.Engine.Factorizations;

/// <summary>
/// What every rank of a truncated, row-weighted SVD needs: the singular values of <c>√D·W</c> and its right singular vectors V. The best factors of rank
/// r are <c>W·Vᵣ</c> and <c>Vᵣᵀ</c>, without a division by √D, so rows that do not count are harmless.
/// </summary>
public sealed class LowRankBasis
{
    /// <summary>The smaller side up to which the whole spectrum is computed.</summary>
    internal const int WholeSpectrum = 1500;

    private readonly double[] _squaredValues;
    private readonly double[] _tails;

    /// <summary>Puts a basis together, from a factorization or from what one has said of itself.</summary>
    /// <param name="rows">m.</param>
    /// <param name="columns">n.</param>
    /// <param name="totalEnergy"><see cref="TotalEnergy"/>.</param>
    /// <param name="weightSum"><see cref="WeightSum"/>.</param>
    /// <param name="squaredValues"><see cref="SquaredValues"/>.</param>
    /// <param name="rightVectors"><see cref="RightVectors"/>.</param>
    /// <param name="left"><see cref="Left"/>.</param>
    /// <exception cref="ArgumentException">The sizes contradict each other.</exception>
    public LowRankBasis(int rows, int columns, double totalEnergy, double weightSum, double[] squaredValues, Matrix rightVectors, LeftColumns left)
    {
        ArgumentNullException.ThrowIfNull(squaredValues);
        ArgumentNullException.ThrowIfNull(rightVectors);
        ArgumentNullException.ThrowIfNull(left);
        if (rightVectors.Columns != columns || left.Peaks.Length != rightVectors.Rows || left.Leverage.Length != rightVectors.Rows || squaredValues.Length < rightVectors.Rows)
        {
            throw new ArgumentException(
                $"Of a {rows}×{columns} weight: {rightVectors.Rows}×{rightVectors.Columns} right vectors, {left.Peaks.Length} left columns and {squaredValues.Length} values do not belong together.",
                nameof(rightVectors));
        }

        Rows = rows;
        Columns = columns;
        TotalEnergy = totalEnergy;
        WeightSum = weightSum;
        RightVectors = rightVectors;
        Left = left;
        _squaredValues = squaredValues;
        _tails = new double[rightVectors.Rows + 1];

        // From the smallest value upwards where all are known: a short tail keeps its digits. Else what the known ones leave of the whole.
        bool whole = squaredValues.Length == Math.Min(Rows, Columns);
        double sum = 0;
        for (int j = whole ? squaredValues.Length - 1 : -1; j >= 0; j--)
        {
            sum += squaredValues[j];
            if (j <= Rank)
            {
                _tails[j] = sum;
            }
        }

        for (int j = 0; !whole && j <= Rank; j++)
        {
            _tails[j] = Math.Max(0, totalEnergy - sum);
            sum += j < Rank ? squaredValues[j] : 0;
        }
    }

    /// <summary>m.</summary>
    public int Rows { get; }

    /// <summary>n.</summary>
    public int Columns { get; }

    /// <summary>The highest rank that it serves: the rows of <see cref="RightVectors"/>.</summary>
    public int Rank => RightVectors.Rows;

    /// <summary>The singular values of <c>√D·W</c>, descending: all min(m, n), or <see cref="Rank"/> of them where the whole spectrum costs too much.</summary>
    public double[] SingularValues => Array.ConvertAll(_squaredValues, Math.Sqrt);

    /// <summary>The squares of <see cref="SingularValues"/>. Must not be changed.</summary>
    public double[] SquaredValues => _squaredValues;

    /// <summary><c>Σ wᵢ‖Wᵢ‖²</c>.</summary>
    public double TotalEnergy { get; }

    /// <summary>Vᵀ, Rank×n: orthonormal rows, the entry of largest magnitude of each is positive. Must not be changed.</summary>
    public Matrix RightVectors { get; }

    /// <summary><c>Σ wᵢ</c>.</summary>
    public double WeightSum { get; }

    /// <summary>The columns of <c>W·V</c>.</summary>
    public LeftColumns Left { get; }

    /// <summary>
    /// The least <c>Σ wᵢ‖Wᵢ−Ŵᵢ‖²</c> that a matrix of this rank has: <c>Σⱼ σⱼ²</c> over <c>j ≥ rank</c> (Eckart and Young, 1936).
    /// </summary>
    /// <param name="rank">0 … <see cref="Rank"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The rank is beyond what is known.</exception>
    public double TailEnergy(int rank)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rank);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rank, Rank);
        return _tails[rank];
    }

    /// <summary>Factorizes a weight.</summary>
    /// <param name="weight">W, m×n, finite.</param>
    /// <param name="importance">The row weights, if any.</param>
    /// <param name="maxRank">The highest rank that will be asked for, ≥ 0; more than min(m, n) counts as that.</param>
    /// <param name="seed">Chooses the start of the iteration on large weights.</param>
    /// <param name="threads">Degree of parallelism, ≥ 1. The result is the same, bit for bit, on any number.</param>
    /// <param name="cancellationToken">Stops the factorization.</param>
    /// <exception cref="ArgumentException">An entry is not finite, or the row weights do not fit.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <remarks>
    /// s = min(m, n) ≤ 1500, or most of the spectrum wanted: <c>O(m·n·s + s³)</c>, squared values to 1e-14 of the largest. Else subspace iteration,
    /// <c>O(m·n·maxRank)</c> for each of at most 30 iterations, within 1e-4 of the least error on decaying spectra; energies to 1e-8 of the whole.
    /// </remarks>
    public static LowRankBasis Compute(
        Matrix weight, Importance importance, int maxRank, ulong seed, int threads, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(weight);
        ArgumentOutOfRangeException.ThrowIfNegative(maxRank);
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        var given = RowWeights.Of(importance, weight.Rows);
        double weightSum = given?.Sum() ?? weight.Rows;
        var (weights, greatest) = RowWeights.Normalize(given);
        double energy = Energy(weight, weights);
        int small = Math.Min(weight.Rows, weight.Columns);
        int count = Math.Min(maxRank, small);
        if (energy == 0 || weightSum == 0)
        {
            // Nothing counts: every basis is a best one.
            var units = UnitRows(count, weight.Columns);
            return new LowRankBasis(weight.Rows, weight.Columns, 0, weightSum, new double[small], units, LeftColumns.Of(weight, units, new double[small], given, threads));
        }

        var spectrum = small <= WholeSpectrum || SubspaceIteration.Width(count) > small / 2
            ? GramSpectrum.Compute(weight, weights, count, threads, cancellationToken)
            : SubspaceIteration.Compute(weight, weights, energy, count, seed, threads, cancellationToken);
        FixSigns(spectrum.RightVectors);
        var squaredValues = Array.ConvertAll(spectrum.SquaredValues, value => value * greatest);
        var left = LeftColumns.Of(weight, spectrum.RightVectors, squaredValues, given, threads);
        return new LowRankBasis(weight.Rows, weight.Columns, energy * greatest, weightSum, squaredValues, spectrum.RightVectors, left);
    }

    private static double Energy(Matrix weight, double[]? weights)
    {
        double energy = 0;
        for (int row = 0; row < weight.Rows; row++)
        {
            double squared = VectorArithmetic.SquaredNorm(weight.Row(row));
            if (!double.IsFinite(squared))
            {
                int column = weight.Row(row).ToArray().AsSpan().IndexOfAnyExceptInRange(float.MinValue, float.MaxValue);
                throw new ArgumentException($"Entry ({row}, {column}) is {weight[row, column]}; only finite weights can be factorized.", nameof(weight));
            }

            energy += (weights?[row] ?? 1) * squared;
        }

        return energy;
    }

    private static Matrix UnitRows(int count, int columns)
    {
        var rows = new Matrix(count, columns);
        for (int i = 0; i < count; i++)
        {
            rows[i, i] = 1;
        }

        return rows;
    }

    /// <summary>A singular vector is defined up to its sign; this choice does not depend on the factorization.</summary>
    private static void FixSigns(Matrix vectors)
    {
        for (int i = 0; i < vectors.Rows; i++)
        {
            var row = vectors.Row(i);
            float largest = 0;
            foreach (float value in row)
            {
                largest = Math.Abs(value) > Math.Abs(largest) ? value : largest;
            }

            for (int j = 0; largest < 0 && j < row.Length; j++)
            {
                row[j] = -row[j];
            }
        }
    }
}
