using Condense.Engine.Kernels;
using Condense.Engine.Matrices;

namespace Condense.Engine.Methods;

/// <summary>
/// What frequent and rare rows have lost, apart: <c>√(Σ‖Wᵢ−Ŵᵢ‖² ÷ Σ‖Wᵢ‖²)</c> over the first hundredth of the rows by weight, the rest of the first tenth,
/// and all others. A single number in the norm of the weights hides rows that hardly count.
/// </summary>
/// <param name="Head">The relative error of the heaviest 1 % of the rows, at least one row.</param>
/// <param name="Mid">Of the next 9 %.</param>
/// <param name="Tail">Of the rest.</param>
public sealed record FrequencyBands(double Head, double Mid, double Tail)
{
    /// <summary>Sums the errors of rows. Rows of the same weight stand in their own order; a band without rows or without a norm has lost nothing. O(m·(n + log m)).</summary>
    /// <param name="weight">W, m×n.</param>
    /// <param name="importance">The row weights.</param>
    /// <param name="squaredErrors"><c>‖Wᵢ−Ŵᵢ‖²</c> of each row.</param>
    /// <exception cref="ArgumentException">The row weights or the errors are not one a row.</exception>
    public static FrequencyBands Of(Matrix weight, Importance importance, IReadOnlyList<double> squaredErrors)
    {
        ArgumentNullException.ThrowIfNull(weight);
        ArgumentNullException.ThrowIfNull(squaredErrors);
        if (squaredErrors.Count != weight.Rows)
        {
            throw new ArgumentException($"{squaredErrors.Count} errors for {weight.Rows} rows.", nameof(squaredErrors));
        }

        int[] order = RowGroups.Order(importance, weight.Rows);
        int head = (weight.Rows + 99) / 100, mid = (weight.Rows + 9) / 10;
        return new FrequencyBands(Error(order.AsSpan(0, head)), Error(order.AsSpan(head..mid)), Error(order.AsSpan(mid)));

        double Error(ReadOnlySpan<int> rows)
        {
            double error = 0, norm = 0;
            foreach (int row in rows)
            {
                error += squaredErrors[row];
                norm += VectorArithmetic.SquaredNorm(weight.Row(row));
            }

            return error == 0 ? 0 : norm == 0 ? double.PositiveInfinity : Math.Sqrt(error / norm);
        }
    }
}
