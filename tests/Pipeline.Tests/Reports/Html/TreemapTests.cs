using Condense.Pipeline.Reports.Html;
using Xunit;

namespace Condense.Pipeline.Tests.Reports.Html;

public sealed class TreemapTests
{
    private const double Width = 150;
    private const double Height = 100;
    private const double Tolerance = 1e-9;

    [Fact]
    public void The_example_of_the_paper_is_laid_out_as_in_the_paper()
    {
        // Bruls, Huizing and van Wijk, figure 5: 6, 6, 4, 3, 2, 2, 1 in a rectangle of 6 × 4.
        var tiles = Treemap.Layout([6, 6, 4, 3, 2, 2, 1], 6, 4);
        (double X, double Y, double Width, double Height)[] expected =
        [
            (0, 0, 3, 2), (0, 2, 3, 2),
            (3, 0, 12.0 / 7, 7.0 / 3), (3 + (12.0 / 7), 0, 9.0 / 7, 7.0 / 3),
            (3, 7.0 / 3, 1.2, 5.0 / 3), (4.2, 7.0 / 3, 1.2, 5.0 / 3), (5.4, 7.0 / 3, 0.6, 5.0 / 3),
        ];
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.Equal(expected[i].X, tiles[i].X, Tolerance);
            Assert.Equal(expected[i].Y, tiles[i].Y, Tolerance);
            Assert.Equal(expected[i].Width, tiles[i].Width, Tolerance);
            Assert.Equal(expected[i].Height, tiles[i].Height, Tolerance);
        }
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 1)]
    [InlineData(17, 2)]
    [InlineData(60, 3)]
    [InlineData(60, 4)]
    public void Areas_are_in_proportion_nothing_overlaps_and_all_is_inside(int count, int seed)
    {
        var random = new Random(seed);
        double[] values = [.. Enumerable.Range(0, count).Select(_ => Math.Pow(10, 9 * random.NextDouble())).OrderDescending()];
        var tiles = Treemap.Layout(values, Width, Height);
        double scale = Width * Height / values.Sum();
        for (int i = 0; i < count; i++)
        {
            var tile = tiles[i];
            Assert.Equal(1, tile.Width * tile.Height / (values[i] * scale), 1e-5);
            Assert.InRange(tile.X, -Tolerance, Width);
            Assert.InRange(tile.Y, -Tolerance, Height);
            Assert.InRange(tile.X + tile.Width, 0, Width + Tolerance);
            Assert.InRange(tile.Y + tile.Height, 0, Height + Tolerance);
            foreach (var other in tiles.AsSpan(0, i))
            {
                double across = Math.Min(tile.X + tile.Width, other.X + other.Width) - Math.Max(tile.X, other.X);
                double down = Math.Min(tile.Y + tile.Height, other.Y + other.Height) - Math.Max(tile.Y, other.Y);
                Assert.True(across <= Tolerance || down <= Tolerance, $"{tile} and {other} overlap.");
            }
        }
    }

    [Fact]
    public void Equal_values_become_near_squares()
    {
        var tiles = Treemap.Layout(Enumerable.Repeat(1.0, 24).ToArray(), Width, Height);
        Assert.All(tiles, tile => Assert.InRange(tile.Width / tile.Height, 0.5, 2));
    }
}
