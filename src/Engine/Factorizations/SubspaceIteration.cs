using System.Numerics.Tensors;
using Condense.Engine.Kernels;
using Condense.Engine.Matrices;

namespace Condense.Engine.Factorizations;

/// <summary>
/// The largest singular values of <c>√D·W</c> where the whole spectrum costs too much: a seeded random start, power iterations, Rayleigh–Ritz (Halko,
/// Martinsson and Tropp, Finding structure with randomness, 2011, algorithms 4.4 and 5.1).
/// </summary>
internal static class SubspaceIteration
{
    /// <summary>Iterations between two looks at the values.</summary>
    private const int Stride = 3;

    private const int MaxIterations = 30;

    /// <summary>It ends when a stride lowers the squared tail by less than this part of it: a tenth of the excess of 1e-4 that is promised.</summary>
    private const double TailGain = 2e-5;

    /// <summary>… or by less than this part of the whole, which products in f32 cannot resolve.</summary>
    private const double EnergyGain = 1e-12;

    /// <summary>Columns that are iterated for so many wanted ones.</summary>
    public static int Width(int count) => count + Math.Max(16, count / 2);

    /// <summary>Factorizes a weight. O(m·n·<see cref="Width"/>) for each iteration, at most 30.</summary>
    /// <param name="weight">W, m×n, finite, not zero.</param>
    /// <param name="rowWeights">The diagonal of D, in 0 … 1; null: the identity.</param>
    /// <param name="energy"><c>‖√D·W‖²</c>, positive.</param>
    /// <param name="count">How many values and vectors; <see cref="Width"/> of it ≤ min(m, n).</param>
    /// <param name="seed">Chooses the start.</param>
    /// <param name="threads">Degree of parallelism.</param>
    /// <param name="cancellationToken">Stops between iterations.</param>
    public static Spectrum Compute(
        Matrix weight, double[]? rowWeights, double energy, int count, ulong seed, int threads, CancellationToken cancellationToken)
    {
        int width = Width(count);
        float unit = Unit(weight);
        energy *= (double)unit * unit;
        var start = new Matrix(weight.Columns, width);
        new NormalStream(seed).Fill(start.Values);
        var basis = OrthonormalBasis.Of(start, threads);
        double captured = 0;
        for (int iteration = 1; true; iteration++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var image = Image(weight, basis, unit, threads);
            if (iteration % Stride == 0)
            {
                var ritz = SymmetricEigen.Compute(Gram.OfColumns(image, rowWeights, threads), width, count, threads, cancellationToken);
                double sum = ritz.Values.Take(count).Sum();
                double gain = sum - captured;
                if (gain <= Math.Max(TailGain * (energy - sum), EnergyGain * energy) || iteration >= MaxIterations)
                {
                    var values = Array.ConvertAll(ritz.Values[..count], value => Math.Max(value, 0) / ((double)unit * unit));
                    return new Spectrum(values, Rotate(basis, ritz.Vectors, count, threads));
                }

                captured = sum;
            }

            for (int i = 0; i < image.Rows; i++)
            {
                TensorPrimitives.Multiply(image.Row(i), (float)(rowWeights?[i] ?? 1) * unit, image.Row(i));
            }

            basis = OrthonormalBasis.Of(Gemm.Multiply(weight, image, transposeA: true, threads: threads), threads);
        }
    }

    /// <summary><c>W·(unit·Q)</c>.</summary>
    private static Matrix Image(Matrix weight, Matrix basis, float unit, int threads)
    {
        var scaled = new Matrix(basis.Rows, basis.Columns);
        TensorPrimitives.Multiply(basis.Values, unit, scaled.Values);
        return Gemm.Multiply(weight, scaled, threads: threads);
    }

    /// <summary>A power of two that brings the entries near 1, so that squares of tiny or huge weights neither vanish nor overflow in f32.</summary>
    private static float Unit(Matrix weight)
    {
        float largest = Math.Abs(TensorPrimitives.MaxMagnitude(weight.Values));
        return MathF.ScaleB(1, Math.Clamp(-MathF.ILogB(largest), -120, 120));
    }

    /// <summary>The Ritz vectors, one a row: <c>(Q·Zᵀ)ᵀ</c>.</summary>
    private static Matrix Rotate(Matrix basis, double[] vectors, int count, int threads)
    {
        int width = basis.Columns;
        var columns = new double[vectors.Length];
        for (int j = 0; j < count; j++)
        {
            for (int i = 0; i < width; i++)
            {
                columns[(i * count) + j] = vectors[(j * width) + i];
            }
        }

        return OrthonormalBasis.MultiplyInDouble(Operand.Of(basis), columns, count, threads).Transpose();
    }
}
