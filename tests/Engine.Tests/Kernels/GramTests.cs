using Condense.Engine.Kernels;

namespace Condense.Engine.Tests.Kernels;

public sealed class GramTests
{
    [Theory]
    [InlineData(0, 5)]
    [InlineData(1, 1)]
    [InlineData(3, 17)]
    [InlineData(257, 7)]
    [InlineData(600, 101)]
    [InlineData(40, 530)]
    public void Equals_the_plain_loops_with_and_without_row_weights(int m, int n)
    {
        var weight = Samples.Normal(m, n, 1);
        foreach (var weights in new[] { null, Samples.RowWeights(m, 2) })
        {
            AssertClose(Gram.OfColumnsReference(weight, weights), Gram.OfColumns(weight, weights));
        }

        AssertClose(Gram.OfColumnsReference(weight.Transpose(), null), Gram.OfRows(weight));
    }

    [Fact]
    public void Is_exactly_symmetric_and_the_same_on_any_number_of_threads()
    {
        var weight = Samples.Normal(700, 223, 1);
        var expected = Gram.OfColumns(weight, Samples.RowWeights(700, 2), threads: 1);
        Assert.Equal(expected, Gram.OfColumns(weight, Samples.RowWeights(700, 2), threads: 2));
        Assert.Equal(expected, Gram.OfColumns(weight, Samples.RowWeights(700, 2), threads: 16));
        for (int i = 0; i < 223; i++)
        {
            for (int j = 0; j < i; j++)
            {
                Assert.Equal(expected[(i * 223) + j], expected[(j * 223) + i]);
            }
        }
    }

    [Fact]
    public void A_wrong_number_of_row_weights_is_refused() =>
        Assert.Throws<ArgumentException>(() => Gram.OfColumns(Samples.Normal(3, 2, 1), [1, 2]));

    private static void AssertClose(double[] expected, double[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        double scale = expected.Length == 0 ? 0 : expected.Max(Math.Abs);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.InRange(Math.Abs(expected[i] - actual[i]), 0, Tolerance.DoubleProduct * scale);
        }
    }
}
