using Condense.Engine.Matrices;
using Condense.Engine.Methods;
using Condense.Engine.Structures;

namespace Condense.Engine.Tests.Methods;

public sealed class ErrorMeasureTests
{
    [Fact]
    public void Equals_the_plain_sums()
    {
        var weight = Samples.Normal(700, 13, 1);
        var other = Samples.Normal(700, 13, 2);
        var weights = Samples.RowWeights(700, 3);
        double error = 0, norm = 0, weightedError = 0, weightedNorm = 0;
        for (int i = 0; i < 700; i++)
        {
            for (int j = 0; j < 13; j++)
            {
                double difference = (double)weight[i, j] - other[i, j];
                error += difference * difference;
                norm += (double)weight[i, j] * weight[i, j];
                weightedError += weights[i] * difference * difference;
                weightedNorm += weights[i] * weight[i, j] * weight[i, j];
            }
        }

        var structure = new DenseMatrix(other, FloatFormat.F32);
        var measured = ErrorMeasure.Measure(weight, structure, new Importance { RowWeights = weights });
        AssertRelative(error, measured.SquaredError);
        AssertRelative(norm, measured.SquaredNorm);
        AssertRelative(weightedError, measured.WeightedSquaredError);
        AssertRelative(weightedNorm, measured.WeightedSquaredNorm);
        AssertRelative(Math.Sqrt(error / norm), measured.RelativeError);
        AssertRelative(Math.Sqrt(weightedError / weightedNorm), measured.WeightedRelativeError);
        Assert.Equal(measured, ErrorMeasure.Measure(weight, structure, new Importance { RowWeights = weights }, threads: 3));
        var plain = ErrorMeasure.Measure(weight, structure, Importance.None);
        Assert.Equal(plain.SquaredError, plain.WeightedSquaredError);
    }

    [Fact]
    public void Nothing_and_zero_are_met_exactly()
    {
        Assert.Equal(0, ErrorMeasure.Measure(new Matrix(0, 4), new DenseMatrix(new Matrix(0, 4), FloatFormat.F32), Importance.None).RelativeError);
        Assert.Equal(0, ErrorMeasure.Measure(new Matrix(3, 4), new DenseMatrix(new Matrix(3, 4), FloatFormat.F32), Importance.None).RelativeError);
        var ones = new Matrix(1, 1, [1]);
        Assert.Equal(double.PositiveInfinity, ErrorMeasure.Measure(new Matrix(1, 1), new DenseMatrix(ones, FloatFormat.F32), Importance.None).RelativeError);
    }

    [Fact]
    public void Other_shapes_and_weights_are_refused()
    {
        var structure = new DenseMatrix(new Matrix(2, 3), FloatFormat.F32);
        Assert.Throws<ArgumentException>(() => ErrorMeasure.Measure(new Matrix(3, 2), structure, Importance.None));
        Assert.Throws<ArgumentException>(() => ErrorMeasure.Measure(new Matrix(2, 3), structure, new Importance { RowWeights = [1] }));
    }

    private static void AssertRelative(double expected, double actual) =>
        Assert.InRange(Math.Abs(expected - actual), 0, Tolerance.DoubleProduct * expected);
}
