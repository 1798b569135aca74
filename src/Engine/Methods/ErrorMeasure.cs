using Condense.Engine.Kernels;
using Condense.Engine.Matrices;
using Condense.Engine.Structures;

namespace Condense.Engine.Methods;

/// <summary>How far a structure is from the weight that it stands for; sums in f64.</summary>
/// <param name="SquaredError"><c>‖W−Ŵ‖²</c>.</param>
/// <param name="SquaredNorm"><c>‖W‖²</c>.</param>
/// <param name="WeightedSquaredError"><c>Σ wᵢ‖Wᵢ−Ŵᵢ‖²</c>; equal to the plain one without row weights.</param>
/// <param name="WeightedSquaredNorm"><c>Σ wᵢ‖Wᵢ‖²</c>; equal to the plain one without row weights.</param>
public sealed record ErrorMeasure(double SquaredError, double SquaredNorm, double WeightedSquaredError, double WeightedSquaredNorm)
{
    /// <summary><c>‖W−Ŵ‖ ÷ ‖W‖</c>; 0 for a zero matrix met exactly, infinite for one that is not.</summary>
    public double RelativeError => Relative(SquaredError, SquaredNorm);

    /// <summary><c>√(Σ wᵢ‖Wᵢ−Ŵᵢ‖² ÷ Σ wᵢ‖Wᵢ‖²)</c>.</summary>
    public double WeightedRelativeError => Relative(WeightedSquaredError, WeightedSquaredNorm);

    /// <summary>Measures a structure, a block of its rows at a time; never a second full matrix.</summary>
    /// <param name="weight">W, m×n.</param>
    /// <param name="structure">Ŵ, m×n.</param>
    /// <param name="importance">The row weights, if any.</param>
    /// <param name="threads">Degree of parallelism, ≥ 1. The result is the same, bit for bit, on any number.</param>
    /// <param name="squaredErrors">Takes <c>‖Wᵢ−Ŵᵢ‖²</c> of each row; may be null.</param>
    /// <exception cref="ArgumentException">The shapes differ, or the row weights do not fit.</exception>
    public static ErrorMeasure Measure(Matrix weight, StructuredMatrix structure, Importance importance, int threads = 1, double[]? squaredErrors = null)
    {
        ArgumentNullException.ThrowIfNull(weight);
        ArgumentNullException.ThrowIfNull(structure);
        if (weight.Rows != structure.Rows || weight.Columns != structure.Columns)
        {
            throw new ArgumentException($"The weight is {weight.Rows}×{weight.Columns}, the structure {structure.Rows}×{structure.Columns}.", nameof(structure));
        }

        return Sum(weight, importance, threads, (start, count, errors) =>
        {
            var ids = new int[count];
            for (int i = 0; i < count; i++)
            {
                ids[i] = start + i;
            }

            var rows = structure.GatherRows(ids);
            for (int i = 0; i < count; i++)
            {
                errors[i] = VectorArithmetic.SquaredDistance(weight.Row(start + i), rows.Row(i));
            }

            if (squaredErrors is not null)
            {
                errors.CopyTo(squaredErrors.AsSpan(start, count));
            }
        });
    }

    /// <summary>Sums the rows' squared errors, in the order of the rows.</summary>
    /// <param name="weight">W.</param>
    /// <param name="importance">The row weights, if any.</param>
    /// <param name="threads">Degree of parallelism.</param>
    /// <param name="rowErrors">Fills the squared errors of (first row, rows).</param>
    internal static ErrorMeasure Sum(Matrix weight, Importance importance, int threads, RowErrors rowErrors)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        var weights = RowWeights.Of(importance, weight.Rows);
        var parts = new ErrorMeasure[RowBlocks.Count(weight.Rows, RowBlocks.Streaming)];
        RowBlocks.ForEach(weight.Rows, RowBlocks.Streaming, threads, (block, start, count) =>
        {
            Span<double> errors = stackalloc double[RowBlocks.Streaming];
            rowErrors(start, count, errors[..count]);
            double error = 0, norm = 0, weightedError = 0, weightedNorm = 0;
            for (int i = 0; i < count; i++)
            {
                double squared = VectorArithmetic.SquaredNorm(weight.Row(start + i));
                double importanceOfRow = weights?[start + i] ?? 1;
                error += errors[i];
                norm += squared;
                weightedError += importanceOfRow * errors[i];
                weightedNorm += importanceOfRow * squared;
            }

            parts[block] = new ErrorMeasure(error, norm, weightedError, weightedNorm);
        });
        var total = new ErrorMeasure(0, 0, 0, 0);
        foreach (var part in parts)
        {
            total = new ErrorMeasure(
                total.SquaredError + part.SquaredError,
                total.SquaredNorm + part.SquaredNorm,
                total.WeightedSquaredError + part.WeightedSquaredError,
                total.WeightedSquaredNorm + part.WeightedSquaredNorm);
        }

        return total;
    }

    private static double Relative(double error, double norm) =>
        error == 0 ? 0 : norm == 0 ? double.PositiveInfinity : Math.Sqrt(error / norm);

    /// <summary>Fills the squared errors of a run of rows.</summary>
    internal delegate void RowErrors(int start, int count, Span<double> errors);
}
