using Condense.Engine.Kernels;
using Condense.Engine.Matrices;
using Condense.Engine.Structures;

namespace Condense.Engine.Methods;

/// <summary>Each entry becomes the nearest code of its row, column, group or of the whole weight.</summary>
public static class RoundToNearest
{
    /// <summary>Quantizes a weight and measures the error. O(m·n), three passes.</summary>
    /// <param name="weight">W, m×n, finite.</param>
    /// <param name="importance">The row weights in which the error is measured; the codes do not depend on them.</param>
    /// <param name="form">Width, symmetry and granularity, m×n.</param>
    /// <param name="threads">Degree of parallelism, ≥ 1. The result is the same, bit for bit, on any number.</param>
    /// <exception cref="ArgumentException">The shapes differ, an entry is not finite, or the row weights do not fit.</exception>
    public static CompressedWeight Compress(Matrix weight, Importance importance, QuantizedForm form, int threads = 1)
    {
        var structure = Quantize(weight, form, threads);
        return new CompressedWeight(structure, ErrorMeasure.Measure(weight, structure, importance, threads), Bound: null);
    }

    /// <summary>The error that <see cref="Compress"/> reaches, without keeping a code. O(m·n), two passes.</summary>
    /// <param name="weight">W, m×n, finite.</param>
    /// <param name="importance">The row weights.</param>
    /// <param name="form">Width, symmetry and granularity, m×n.</param>
    /// <param name="threads">Degree of parallelism, ≥ 1.</param>
    /// <returns>The error, to the bit.</returns>
    /// <exception cref="ArgumentException">The shapes differ, an entry is not finite, or the row weights do not fit.</exception>
    public static ErrorMeasure Predict(Matrix weight, Importance importance, QuantizedForm form, int threads = 1)
    {
        Check(weight, form);
        var table = ScaleTable.Of(weight, form, threads);
        return ErrorMeasure.Sum(weight, importance, threads, (start, count, errors) =>
        {
            var rounding = table.StartRows();
            for (int i = 0; i < count; i++)
            {
                table.Round(start + i, rounding);
                errors[i] = VectorArithmetic.SquaredDistance(weight.Row(start + i), rounding.Values);
            }
        });
    }

    /// <summary>Quantizes a weight. O(m·n), two passes.</summary>
    /// <param name="weight">W, m×n, finite.</param>
    /// <param name="form">Width, symmetry and granularity, m×n.</param>
    /// <param name="threads">Degree of parallelism, ≥ 1.</param>
    /// <exception cref="ArgumentException">The shapes differ, or an entry is not finite.</exception>
    public static QuantizedMatrix Quantize(Matrix weight, QuantizedForm form, int threads = 1)
    {
        Check(weight, form);
        var table = ScaleTable.Of(weight, form, threads);
        var codes = new byte[weight.Values.Length];
        RowBlocks.ForEach(weight.Rows, RowBlocks.Streaming, threads, (_, start, count) =>
        {
            var rounding = table.StartRows();
            for (int row = start; row < start + count; row++)
            {
                table.Round(row, rounding);
                rounding.Emit(codes.AsSpan(row * weight.Columns, weight.Columns));
            }
        });
        return new QuantizedMatrix(form, codes, table.Scales(), table.ZeroPoints());
    }

    private static void Check(Matrix weight, QuantizedForm form)
    {
        ArgumentNullException.ThrowIfNull(weight);
        ArgumentNullException.ThrowIfNull(form);
        if (weight.Rows != form.Rows || weight.Columns != form.Columns)
        {
            throw new ArgumentException($"The weight is {weight.Rows}×{weight.Columns}, the form {form.Rows}×{form.Columns}.", nameof(form));
        }
    }
}
