namespace Condense.Pipeline.Reports.Html;

/// <summary>
/// Squarified treemaps: rectangles of given areas that fill a rectangle, each as close to a square as a simple rule gets it (Bruls, Huizing and van Wijk,
/// Squarified Treemaps, 2000, section 3).
/// </summary>
internal static class Treemap
{
    /// <summary>
    /// Places one tile per value: areas stand to one another as the values, no two overlap, together they fill the whole. O(n).
    /// </summary>
    /// <param name="values">Above 0, descending: only then are the tiles near squares.</param>
    /// <param name="width">Width of the whole.</param>
    /// <param name="height">Height of the whole.</param>
    /// <returns>The tiles, in the order of the values.</returns>
    public static TreemapTile[] Layout(ReadOnlySpan<double> values, double width, double height)
    {
        var tiles = new TreemapTile[values.Length];
        double total = 0;
        foreach (double value in values)
        {
            total += value;
        }

        double scale = width * height / total;
        var free = new TreemapTile(0, 0, width, height);
        int start = 0;
        while (start < values.Length)
        {
            double side = Math.Min(free.Width, free.Height);
            double area = 0;
            double worst = double.PositiveInfinity;
            int end = start;
            while (end < values.Length)
            {
                // A row begins with its largest tile and ends with its smallest: one of the two is the least like a square.
                double grown = area + (values[end] * scale);
                double ratio = Math.Max(
                    side * side * values[start] * scale / (grown * grown),
                    grown * grown / (side * side * values[end] * scale));
                if (ratio > worst)
                {
                    break;
                }

                (area, worst) = (grown, ratio);
                end++;
            }

            // The last row takes what is left: rounding leaves no gap.
            free = Fill(tiles, values, start, end, free, area, scale, whole: end == values.Length);
            start = end;
        }

        return tiles;
    }

    /// <summary>Lays a row along the shorter side of what is free.</summary>
    /// <returns>What is still free.</returns>
    private static TreemapTile Fill(TreemapTile[] tiles, ReadOnlySpan<double> values, int start, int end, TreemapTile free, double area, double scale, bool whole)
    {
        bool down = free.Width >= free.Height;
        double thickness = whole ? (down ? free.Width : free.Height) : area / (down ? free.Height : free.Width);
        double along = down ? free.Y : free.X;
        for (int i = start; i < end; i++)
        {
            double length = (down ? free.Height : free.Width) * (values[i] * scale / area);
            tiles[i] = down ? new TreemapTile(free.X, along, thickness, length) : new TreemapTile(along, free.Y, length, thickness);
            along += length;
        }

        return down
            ? free with { X = free.X + thickness, Width = free.Width - thickness }
            : free with { Y = free.Y + thickness, Height = free.Height - thickness };
    }
}

/// <summary>A rectangle of a treemap.</summary>
/// <param name="X">Left.</param>
/// <param name="Y">Top.</param>
/// <param name="Width">Width.</param>
/// <param name="Height">Height.</param>
internal readonly record struct TreemapTile(double X, double Y, double Width, double Height);
