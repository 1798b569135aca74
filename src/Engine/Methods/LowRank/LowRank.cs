using System.Numerics.Tensors;
using Condense.Engine.Factorizations;
using Condense.Engine.Kernels;
using Condense.Engine.Matrices;
using Condense.Engine.Structures;

namespace Condense.Engine.Methods;

/// <summary>
/// Truncated, row-weighted SVD: <c>W ≈ Left·Right</c>, Left = W·Vᵣ, Right = Vᵣᵀ. With int8 factors, Left is quantized per column, Right is refitted to
/// what became of Left and quantized per row.
/// </summary>
public static class LowRank
{
    /// <summary>A squared pivot below this part of its diagonal entry: two columns of the quantized Left say the same.</summary>
    private const double LeastPivot = 1e-12;

    /// <summary>Then this part of the mean diagonal is added to the normal equations.</summary>
    private const double Ridge = 1e-8;

    /// <summary>Factorizes a weight and measures the error.</summary>
    /// <param name="weight">W, m×n.</param>
    /// <param name="importance">The row weights that the basis was computed with.</param>
    /// <param name="basis">The basis of this weight.</param>
    /// <param name="settings">Rank and width.</param>
    /// <param name="threads">Degree of parallelism, ≥ 1. The result is the same, bit for bit, on any number.</param>
    /// <returns>A <see cref="ProductMatrix"/>, its error, and the least squared error of any matrix of that rank in the row-weighted norm.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The rank is not 1 … the basis's, or the width is not supported.</exception>
    /// <exception cref="ArgumentException">The basis or the row weights belong to another shape, or W·V is beyond the range of f32.</exception>
    /// <remarks>O(m·n·r) for f32 factors; the refit of int8 factors adds O((m + n)·r² + r³).</remarks>
    public static CompressedWeight Compress(Matrix weight, Importance importance, LowRankBasis basis, LowRankSettings settings, int threads = 1)
    {
        var structure = Factorize(weight, importance, basis, settings, threads);
        return new CompressedWeight(structure, ErrorMeasure.Measure(weight, structure, importance, threads), basis.TailEnergy(settings.Rank));
    }

    /// <summary>The factors alone; see <see cref="Compress"/>.</summary>
    internal static ProductMatrix Factorize(Matrix weight, Importance importance, LowRankBasis basis, LowRankSettings settings, int threads)
    {
        ArgumentNullException.ThrowIfNull(weight);
        ArgumentNullException.ThrowIfNull(basis);
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(settings.Rank, 1, nameof(settings));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(settings.Rank, basis.Rank, nameof(settings));
        CheckWidth(settings.CodeBits);
        if (weight.Rows != basis.Rows || weight.Columns != basis.Columns)
        {
            throw new ArgumentException($"The weight is {weight.Rows}×{weight.Columns}, the basis of a weight {basis.Rows}×{basis.Columns}.", nameof(basis));
        }

        int rank = settings.Rank;
        var right = new Matrix(rank, weight.Columns, basis.RightVectors.Values[..(rank * weight.Columns)]);
        var left = Gemm.Multiply(weight, right, transposeB: true, threads: threads);
        int overflow = left.Values.AsSpan().IndexOfAnyExceptInRange(float.MinValue, float.MaxValue);
        if (overflow >= 0)
        {
            throw new ArgumentException($"Row {overflow / rank} of W·V is beyond the range of f32; scale the weight down.", nameof(weight));
        }

        return settings.CodeBits is { } bits
            ? Quantize(weight, left, RowWeights.Of(importance, weight.Rows), bits, threads)
            : new ProductMatrix(new DenseMatrix(left, FloatFormat.F32), new DenseMatrix(right, FloatFormat.F32));
    }

    /// <summary>The (row-weighted) squared error that <see cref="Compress"/> will reach at every rank, from the basis alone.</summary>
    /// <param name="basis">The basis.</param>
    /// <param name="codeBits">Bits of a code of the factors: 8, or null for f32.</param>
    /// <returns>Basis.Rank + 1 numbers; number r is for rank r, number 0 is the whole energy.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The width is not supported.</exception>
    /// <remarks>
    /// f32: the tail, which the result meets to rounding. int8: the tail and the noise of rounding, step² ÷ 12 for each entry (Widrow), with each column's
    /// true step, less what the refit takes back; within 5 % of the result on random and decaying spectra. O(n·Rank).
    /// </remarks>
    public static double[] PredictSquaredErrors(LowRankBasis basis, int? codeBits)
    {
        ArgumentNullException.ThrowIfNull(basis);
        CheckWidth(codeBits);
        var errors = new double[basis.Rank + 1];
        double steps = codeBits is { } bits ? HighestCode(bits) : double.PositiveInfinity;
        double leftVariance = 0, rightNoise = 0, reached = 0;
        errors[0] = basis.TailEnergy(0);
        for (int rank = 1; rank <= basis.Rank; rank++)
        {
            int component = rank - 1;
            double energy = basis.TailEnergy(component) - basis.TailEnergy(rank);
            double leftStep = basis.Left.Peaks[component] / steps;
            double rightStep = Peak(basis.RightVectors.Row(component)) / steps;

            // Rounding a factor away altogether costs its component and no more.
            leftVariance += Math.Min(leftStep * leftStep / 12, basis.WeightSum > 0 ? energy / basis.WeightSum : 0);
            rightNoise += Math.Min(basis.Columns * rightStep * rightStep / 12, 1) * energy;
            reached += basis.Left.Leverage[component];

            // Left's noise has as many directions as rows; the refit cancels those that the columns of Left span.
            errors[rank] = basis.TailEnergy(rank) + (Math.Max(0, basis.WeightSum - reached) * leftVariance) + rightNoise;
        }

        return errors;
    }

    private static double Peak(ReadOnlySpan<float> row) => Math.Abs(TensorPrimitives.MaxMagnitude(row));

    private static int HighestCode(int bits) => (1 << (bits - 1)) - 1;

    private static ProductMatrix Quantize(Matrix weight, Matrix left, double[]? rowWeights, int bits, int threads)
    {
        var codedLeft = RoundToNearest.Quantize(
            left, new QuantizedForm(left.Rows, left.Columns, bits, symmetric: true, QuantizationGranularity.PerColumn), threads);
        var right = Refit(weight, codedLeft.ToDense(), rowWeights, threads);
        var codedRight = RoundToNearest.Quantize(
            right, new QuantizedForm(right.Rows, right.Columns, bits, symmetric: true, QuantizationGranularity.PerRow), threads);
        return new ProductMatrix(codedLeft, codedRight);
    }

    /// <summary>The R that minimises <c>Σ wᵢ‖Wᵢ − (L·R)ᵢ‖²</c>: <c>(LᵀDL)·R = LᵀDW</c>, in f64.</summary>
    private static Matrix Refit(Matrix weight, Matrix left, double[]? rowWeights, int threads)
    {
        int rank = left.Columns;
        var (weights, _) = RowWeights.Normalize(rowWeights);
        var right = new double[rank * weight.Columns];
        BlockedProduct.Compute(
            Operand.Of(left).Transposed, Operand.Of(weight), Operand.Of(right, rank, weight.Columns), threads, depthWeights: weights);
        var normal = Gram.OfColumns(left, weights, threads);
        double mean = 0;
        for (int i = 0; i < rank; i++)
        {
            mean += normal[(i * rank) + i] / rank;
        }

        if (mean > 0)
        {
            var factor = Cholesky.TryFactorize((double[])normal.Clone(), rank, LeastPivot) ?? WithRidge(normal, rank, Ridge * mean);
            factor.Solve(right, weight.Columns);
        }

        return new Matrix(rank, weight.Columns, Array.ConvertAll(right, value => (float)value));
    }

    private static Cholesky WithRidge(double[] normal, int rank, double ridge)
    {
        for (int i = 0; i < rank; i++)
        {
            normal[(i * rank) + i] += ridge;
        }

        return Cholesky.TryFactorize(normal, rank, leastPivot: 0)
            ?? throw new ArithmeticException("The normal equations of the right factor are not positive definite in spite of the ridge.");
    }

    private static void CheckWidth(int? codeBits)
    {
        if (codeBits is { } bits)
        {
            ArgumentOutOfRangeException.ThrowIfNotEqual(bits, 8, nameof(codeBits));
        }
    }
}
