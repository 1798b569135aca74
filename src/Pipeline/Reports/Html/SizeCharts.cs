namespace Condense.Pipeline.Reports.Html;

/// <summary>Two treemaps at one scale: the file before, and the file after.</summary>
internal static class SizeCharts
{
    /// <summary>More tiles than this can't be told apart; the smallest layers share one.</summary>
    private const int MostTiles = 60;

    /// <summary>The maps are laid out for this shape, and drawn so.</summary>
    private const double Width = 150;

    private const double Height = 100;

    /// <summary>A tile below this share of the map's sides has no room for words.</summary>
    private const double LeastLabelWidth = 7;

    private const double LeastLabelHeight = 6;
    private const double TwoLinesHeight = 13;

    /// <summary>Adds the section. O(n log n) over the layers.</summary>
    public static void Add(HtmlBuilder html, CompressionReport report)
    {
        var before = TilesOf(report, layer => layer.BytesBefore, report.BytesBefore);
        var after = TilesOf(report, layer => layer.BytesAfter, report.BytesAfter);
        double largest = Math.Max(report.BytesBefore, report.BytesAfter);
        html.Add($"<section aria-labelledby=\"size\">\n<h2 id=\"size\">Where the bytes are</h2>\n");
        html.Add($"<p class=\"hint\">Both maps have the same scale: area is bytes, and the dashed frame is the size of the larger file. Colour and pattern say what was done with a layer. Every number stands in the table of layers.</p>\n<div class=\"pair\">\n");
        AddMap(html, "Before", before, report.BytesBefore, largest);
        AddMap(html, "After", after, report.BytesAfter, largest);
        html.Add($"</div>\n");
        MethodStyle.AddLegend(html, before.Concat(after).Select(tile => tile.Method));
        html.Add($"</section>\n");
    }

    private static void AddMap(HtmlBuilder html, string title, List<SizeTile> tiles, long bytes, double largest)
    {
        html.Add($"<figure>\n<figcaption><strong>{title}</strong> {Quantity.Bytes(bytes)}</figcaption>\n");
        html.Add($"<svg class=\"map\" role=\"img\" aria-label=\"{title}: {bytes:N0} bytes in {tiles.Count} tiles; the largest is {tiles.FirstOrDefault().Name ?? "none"}.\">\n");
        if (bytes < largest)
        {
            html.Add($"<rect class=\"ghost\" x=\"1\" y=\"1\" width=\"99.5%\" height=\"99.2%\" rx=\"5\"/>");
        }

        if (tiles.Count > 0)
        {
            // The smaller map is smaller in both directions by the root of the ratio.
            double share = Math.Sqrt(bytes / largest);
            var places = Treemap.Layout(tiles.Select(tile => (double)tile.Bytes).ToArray(), Width, Height);
            for (int i = 0; i < places.Length; i++)
            {
                AddTile(html, tiles[i], Scale(places[i], share));
            }
        }

        html.Add($"</svg>\n</figure>\n");
    }

    private static void AddTile(HtmlBuilder html, SizeTile tile, TreemapTile place)
    {
        string detail = FormattableString.Invariant($"{tile.Bytes:N0} bytes, {tile.Method}");
        html.Add($"<svg x=\"{place.X:0.##}%\" y=\"{place.Y:0.##}%\" width=\"{place.Width:0.##}%\" height=\"{place.Height:0.##}%\"><title>{tile.Name}: {detail}</title>");
        html.Add($"<rect class=\"tile\" width=\"100%\" height=\"100%\" fill=\"url(#p-{MethodStyle.ClassOf(tile.Method)})\"/>");
        if (place.Width >= LeastLabelWidth && place.Height >= LeastLabelHeight)
        {
            html.Add($"<text x=\"6\" y=\"16\">{tile.Label}</text>");
            if (place.Height >= TwoLinesHeight)
            {
                html.Add($"<text class=\"sub\" x=\"6\" y=\"31\">{Quantity.Bytes(tile.Bytes)}</text>");
            }
        }

        html.Add($"</svg>\n");
    }

    /// <summary>From the layout's units to percent of the map.</summary>
    private static TreemapTile Scale(TreemapTile place, double share) => new(
        place.X * share * 100 / Width, place.Y * share * 100 / Height, place.Width * share * 100 / Width, place.Height * share * 100 / Height);

    /// <summary>The layers and the rest, descending.</summary>
    private static List<SizeTile> TilesOf(CompressionReport report, Func<LayerReport, long> bytesOf, long bytes)
    {
        var layers = report.Layers.Where(layer => bytesOf(layer) > 0).OrderByDescending(bytesOf).ToList();
        int shown = layers.Count <= MostTiles ? layers.Count : MostTiles - 1;
        var (head, tail) = Shared(layers.ConvertAll(layer => layer.Name));
        var tiles = layers.Take(shown)
            .Select(layer => new SizeTile(ReportText.Short(layer.Name), ReportText.Short(layer.Name[head..^tail]), layer.Method, bytesOf(layer)))
            .ToList();
        if (layers.Count > shown)
        {
            string others = FormattableString.Invariant($"{layers.Count - shown:N0} smaller layers");
            tiles.Add(new SizeTile(others, others, MethodStyle.Others, layers.Skip(shown).Sum(bytesOf)));
        }

        // Layers that share a tensor are counted twice among the layers.
        long rest = bytes - layers.Sum(bytesOf);
        if (rest > 0)
        {
            tiles.Add(new SizeTile(MethodStyle.Rest, MethodStyle.Rest, MethodStyle.Rest, rest));
        }

        return [.. tiles.OrderByDescending(tile => tile.Bytes)];
    }

    /// <summary>Characters at the start and at the end that all names share, in whole parts: a tile has room for what tells them apart. O(characters).</summary>
    private static (int Head, int Tail) Shared(List<string> names)
    {
        if (names.Count < 2)
        {
            return (0, 0);
        }

        int head = names[0].Length;
        int tail = head;
        foreach (string name in names)
        {
            head = Math.Min(head, names[0].AsSpan().CommonPrefixLength(name));
            int same = 0;
            while (same < Math.Min(tail, name.Length) && name[^(same + 1)] == names[0][^(same + 1)])
            {
                same++;
            }

            tail = same;
        }

        int start = names[0].AsSpan(0, head).LastIndexOfAny('.', '/') + 1;
        int end = names[0].AsSpan(names[0].Length - tail).IndexOfAny('.', '/');
        tail = end < 0 ? 0 : tail - end;
        return names.TrueForAll(name => start + tail < name.Length) ? (start, tail) : (0, 0);
    }

    private readonly record struct SizeTile(string Name, string Label, string Method, long Bytes);
}
