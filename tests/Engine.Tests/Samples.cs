using Condense.Engine.Matrices;

namespace Condense.Engine.Tests;

/// <summary>Seeded matrices.</summary>
internal static class Samples
{
    public static Matrix Normal(int rows, int columns, int seed)
    {
        var random = new Random(seed);
        var matrix = new Matrix(rows, columns);
        for (int i = 0; i < matrix.Values.Length; i++)
        {
            matrix.Values[i] = (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        }

        return matrix;
    }

    /// <summary>A product of rank r.</summary>
    public static Matrix OfRank(int rows, int columns, int rank, int seed) =>
        Product(Normal(rows, rank, seed), Normal(rank, columns, seed + 1));

    /// <summary>Columns that shrink like (j + 1)^−power, then mixed: a decaying spectrum.</summary>
    public static Matrix Decaying(int rows, int columns, double power, int seed)
    {
        var left = Normal(rows, Math.Min(rows, columns), seed);
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < left.Columns; j++)
            {
                left[i, j] *= (float)Math.Pow(j + 1, -power);
            }
        }

        var right = Normal(left.Columns, columns, seed + 1);
        return Condense.Engine.Kernels.Gemm.Multiply(left, right);
    }

    public static double[] RowWeights(int rows, int seed)
    {
        // Zipf-like, with every seventh row never used.
        var random = new Random(seed);
        var weights = new double[rows];
        for (int i = 0; i < rows; i++)
        {
            weights[i] = i % 7 == 3 ? 0 : 1000.0 / (1 + random.Next(rows));
        }

        return weights;
    }

    public static double SquaredNorm(Matrix matrix) => matrix.Values.Sum(value => (double)value * value);

    public static double Distance(Matrix expected, Matrix actual)
    {
        Assert.Equal((expected.Rows, expected.Columns), (actual.Rows, actual.Columns));
        double error = 0;
        for (int i = 0; i < expected.Values.Length; i++)
        {
            double difference = (double)expected.Values[i] - actual.Values[i];
            error += difference * difference;
        }

        double norm = SquaredNorm(expected);
        return error == 0 ? 0 : Math.Sqrt(error / norm);
    }

    private static Matrix Product(Matrix a, Matrix b)
    {
        var product = new Matrix(a.Rows, b.Columns);
        for (int i = 0; i < a.Rows; i++)
        {
            for (int j = 0; j < b.Columns; j++)
            {
                double sum = 0;
                for (int k = 0; k < a.Columns; k++)
                {
                    sum += (double)a[i, k] * b[k, j];
                }

                product[i, j] = (float)sum;
            }
        }

        return product;
    }
}
