using Condense.Engine.Kernels;
using Condense.Engine.Matrices;
using Condense.Engine.Structures;

namespace Condense.Engine.Methods;

/// <summary>Rounds every entry to a narrower float format.</summary>
public static class FloatConversion
{
    /// <summary>Rounds a weight. O(m·n).</summary>
    /// <param name="weight">W, m×n.</param>
    /// <param name="importance">The row weights in which the error is measured.</param>
    /// <param name="format">The format.</param>
    /// <param name="threads">Degree of parallelism of the measurement, ≥ 1.</param>
    /// <exception cref="ArgumentException">An entry is larger than the format holds (<see cref="DenseMatrix.Fits"/>), or the row weights do not fit.</exception>
    public static CompressedWeight Compress(Matrix weight, Importance importance, FloatFormat format, int threads = 1)
    {
        var structure = new DenseMatrix(weight, format);
        return new CompressedWeight(structure, ErrorMeasure.Measure(weight, structure, importance, threads), Bound: null);
    }

    /// <summary>The error that <see cref="Compress"/> reaches, in one pass that keeps nothing. O(m·n).</summary>
    /// <param name="weight">W, m×n.</param>
    /// <param name="importance">The row weights.</param>
    /// <param name="format">The format.</param>
    /// <param name="threads">Degree of parallelism, ≥ 1.</param>
    /// <returns>The error, to the bit; infinite when the weight does not fit the format.</returns>
    /// <exception cref="ArgumentException">The row weights do not fit.</exception>
    public static ErrorMeasure Predict(Matrix weight, Importance importance, FloatFormat format, int threads = 1)
    {
        ArgumentNullException.ThrowIfNull(weight);
        return ErrorMeasure.Sum(weight, importance, threads, (start, count, errors) =>
        {
            var rounded = new float[weight.Columns];
            for (int i = 0; i < count; i++)
            {
                FloatRounding.Round(weight.Row(start + i), format, rounded);
                errors[i] = VectorArithmetic.SquaredDistance(weight.Row(start + i), rounded);
            }
        });
    }
}
