using Condense.Pipeline.Reports;
using Xunit;

namespace Condense.Pipeline.Tests.Reports;

public sealed class LayerSpectrumTests
{
    private const int MostPoints = 64;

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(64)]
    [InlineData(777)]
    [InlineData(50_000)]
    public void A_geometric_spectrum_leaves_what_its_sum_says(int count)
    {
        double q = Math.Pow(0.01, 1.0 / count);
        double[] values = [.. Enumerable.Range(0, count).Select(j => Math.Pow(q, j))];
        double all = (1 - Math.Pow(q, count)) / (1 - q);
        int cut = (count / 3) + 1;
        var spectrum = LayerSpectrum.Of(values, all, cut)!;
        Assert.InRange(spectrum.Ranks.Count, 2, MostPoints);
        Assert.Equal((0, count), (spectrum.Ranks[0], spectrum.Ranks[^1]));
        Assert.Contains(cut, spectrum.Ranks);
        Assert.Equal(spectrum.Ranks.Distinct().Order(), spectrum.Ranks);
        for (int i = 0; i < spectrum.Ranks.Count; i++)
        {
            int rank = spectrum.Ranks[i];
            double expected = (Math.Pow(q, rank) - Math.Pow(q, count)) / (1 - Math.Pow(q, count));
            Assert.Equal(expected, spectrum.RemainingEnergy[i], 6e-4 * expected + 1e-9);
        }
    }

    [Fact]
    public void Energy_of_values_that_are_not_known_remains()
    {
        var spectrum = LayerSpectrum.Of([4, 2], energy: 8, cut: null)!;
        Assert.Equal([0, 1, 2], spectrum.Ranks);
        Assert.Equal([1, 0.5, 0.25], spectrum.RemainingEnergy);
    }

    [Fact]
    public void Without_energy_there_is_no_spectrum() => Assert.Null(LayerSpectrum.Of([0, 0], energy: 0, cut: 1));
}
