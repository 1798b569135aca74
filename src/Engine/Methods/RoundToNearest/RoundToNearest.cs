using Condense.Engine.Kernels;
using Condense.Engine.Matrices;
using Condense.Engine.Structures;

namespace Condense.Engine.Methods;

/// <summary>
/// Each entry becomes the nearest code of its row, column, group or of the whole weight: <c>code = ZeroPoint + clamp(round(w ÷ Scale))</c>, ties to even
/// (Jacob et al., CVPR 2018, section 2.1), with the range of the steps clipped to the least squared error where codes are few (Banner et al., NeurIPS
/// 2019, section 3).
/// </summary>
public static class RoundToNearest
{
    /// <summary>How ranges are clipped unless told otherwise: at 8 bits the steps are so fine that clipping gains next to nothing.</summary>
    /// <param name="codeBits">Bits of a code.</param>
    public static RangeClipping DefaultClipping(int codeBits) => codeBits < QuantizedForm.ByteBits ? RangeClipping.LeastSquares : RangeClipping.None;

    /// <summary>Quantizes a weight and measures the error. O(m·n): three passes, and some 12 to 24 more where ranges are clipped.</summary>
    /// <param name="weight">W, m×n, finite.</param>
    /// <param name="importance">The row weights in which the error is measured; the codes do not depend on them.</param>
    /// <param name="form">Width, symmetry and granularity, m×n.</param>
    /// <param name="threads">Degree of parallelism, ≥ 1. The result is the same, bit for bit, on any number.</param>
    /// <param name="clipping">How ranges are clipped; null: <see cref="DefaultClipping"/>.</param>
    /// <exception cref="ArgumentException">The shapes differ, an entry is not finite, or the row weights do not fit.</exception>
    public static CompressedWeight Compress(Matrix weight, Importance importance, QuantizedForm form, int threads = 1, RangeClipping? clipping = null)
    {
        var structure = Quantize(weight, form, threads, clipping);
        return new CompressedWeight(structure, ErrorMeasure.Measure(weight, structure, importance, threads), Bound: null);
    }

    /// <summary>The error that <see cref="Compress"/> reaches, without keeping a code. O(m·n): two passes, and those of clipping.</summary>
    /// <param name="weight">W, m×n, finite.</param>
    /// <param name="importance">The row weights.</param>
    /// <param name="form">Width, symmetry and granularity, m×n.</param>
    /// <param name="threads">Degree of parallelism, ≥ 1.</param>
    /// <param name="clipping">How ranges are clipped; null: <see cref="DefaultClipping"/>.</param>
    /// <returns>The error, to the bit.</returns>
    /// <exception cref="ArgumentException">The shapes differ, an entry is not finite, or the row weights do not fit.</exception>
    public static ErrorMeasure Predict(Matrix weight, Importance importance, QuantizedForm form, int threads = 1, RangeClipping? clipping = null)
    {
        Check(weight, form);
        var table = ScaleTable.Of(weight, form, clipping ?? DefaultClipping(form.CodeBits), threads);
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

    /// <summary>Quantizes a weight. O(m·n): two passes, and those of clipping.</summary>
    /// <param name="weight">W, m×n, finite.</param>
    /// <param name="form">Width, symmetry and granularity, m×n.</param>
    /// <param name="threads">Degree of parallelism, ≥ 1.</param>
    /// <param name="clipping">How ranges are clipped; null: <see cref="DefaultClipping"/>.</param>
    /// <exception cref="ArgumentException">The shapes differ, or an entry is not finite.</exception>
    public static QuantizedMatrix Quantize(Matrix weight, QuantizedForm form, int threads = 1, RangeClipping? clipping = null)
    {
        Check(weight, form);
        var table = ScaleTable.Of(weight, form, clipping ?? DefaultClipping(form.CodeBits), threads);
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
