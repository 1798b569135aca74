using Condense.Engine.Kernels;
using Condense.Engine.Matrices;

namespace Condense.Engine.Factorizations;

/// <summary>What is kept of the columns of <c>L = W·V</c>, so that the noise of quantizing them is known without computing them again.</summary>
/// <param name="Peaks">The largest magnitude of each column.</param>
/// <param name="Leverage"><c>Σᵢ wᵢ²·Lᵢⱼ² ÷ σⱼ²</c>: the part of <c>Σᵢ wᵢ</c> that a fit to column j reaches; 1 without row weights.</param>
public sealed record LeftColumns(double[] Peaks, double[] Leverage)
{
    /// <summary>One pass over W, a block of rows at a time. O(m·n·k).</summary>
    /// <param name="weight">W, m×n.</param>
    /// <param name="vectors">Vᵀ, k×n.</param>
    /// <param name="squaredValues">σ², at least k.</param>
    /// <param name="rowWeights">m weights; null: 1.</param>
    /// <param name="threads">Degree of parallelism.</param>
    internal static LeftColumns Of(Matrix weight, Matrix vectors, double[] squaredValues, double[]? rowWeights, int threads)
    {
        int count = vectors.Rows;
        var blocks = new LeftColumns[RowBlocks.Count(weight.Rows, RowBlocks.Streaming)];
        RowBlocks.ForEach(weight.Rows, RowBlocks.Streaming, threads, (block, start, rows) =>
        {
            var left = new Matrix(rows, count);
            BlockedProduct.Compute(Operand.Of(weight).RowRange(start, rows), Operand.Of(vectors).Transposed, Operand.Of(left), threads: 1);
            blocks[block] = OfBlock(left, rowWeights is null ? null : rowWeights[start..(start + rows)]);
        });
        var all = new LeftColumns(new double[count], new double[count]);
        foreach (var block in blocks)
        {
            for (int j = 0; j < count; j++)
            {
                all.Peaks[j] = Math.Max(all.Peaks[j], block.Peaks[j]);
                all.Leverage[j] += block.Leverage[j];
            }
        }

        for (int j = 0; j < count; j++)
        {
            all.Leverage[j] = squaredValues[j] > 0 ? all.Leverage[j] / squaredValues[j] : 0;
        }

        return all;
    }

    private static LeftColumns OfBlock(Matrix left, double[]? rowWeights)
    {
        var columns = new LeftColumns(new double[left.Columns], new double[left.Columns]);
        for (int i = 0; i < left.Rows; i++)
        {
            var row = left.Row(i);
            double weight = rowWeights?[i] ?? 1;
            for (int j = 0; j < row.Length; j++)
            {
                double value = row[j];
                columns.Peaks[j] = Math.Max(columns.Peaks[j], Math.Abs(value));
                columns.Leverage[j] += weight * value * (weight * value);
            }
        }

        return columns;
    }
}
