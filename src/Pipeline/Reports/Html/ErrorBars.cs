namespace Condense.Pipeline.Reports.Html;

/// <summary>What each layer lost, as bars over a logarithmic axis.</summary>
internal static class ErrorBars
{
    /// <summary>The layers with the largest errors are the ones to look at; more bars than this are not looked at.</summary>
    private const int MostRows = 40;

    /// <summary>Errors below this share of the axis are drawn at it: in f32 they are rounding.</summary>
    private const double Least = 1e-8;

    /// <summary>Adds the section. O(n log n) over the layers.</summary>
    public static void Add(HtmlBuilder html, CompressionReport report)
    {
        var changed = report.Layers.Where(layer => layer.Form is not null).OrderByDescending(Worst).ToList();
        html.Add($"<section aria-labelledby=\"errors\">\n<h2 id=\"errors\">What each layer lost</h2>\n");
        if (changed.Count == 0)
        {
            html.Add($"<p class=\"hint\">Nothing: every layer was kept as it is.</p>\n</section>\n");
            return;
        }

        var shown = changed.Take(MostRows).ToList();
        bool weighted = shown.Any(layer => layer.WeightedRelativeError is not null);
        bool bounded = shown.Any(layer => layer.Bound is not null);
        double[] values = [.. shown.SelectMany(ValuesOf).Where(value => value >= Least)];
        var axis = values.Length == 0 ? new LogAxis(-3, 0) : LogAxis.Around(values.Min(), values.Max());
        html.Add($"<p class=\"hint\">Relative error of the stored weights, ‖W−Ŵ‖ ÷ ‖W‖, on a logarithmic axis, largest first.");
        if (changed.Count > shown.Count)
        {
            html.Add($" {changed.Count - shown.Count:N0} layers with smaller errors stand in the table only.");
        }

        html.Add($"</p>\n<ul class=\"legend\"><li><svg width=\"26\" height=\"10\" aria-hidden=\"true\"><rect class=\"plain\" width=\"26\" height=\"10\"/></svg>relative error</li>");
        if (weighted)
        {
            html.Add($"<li><svg width=\"26\" height=\"6\" aria-hidden=\"true\"><rect class=\"weighted\" width=\"26\" height=\"6\"/></svg>weighted by token frequencies (the thin bar)</li>");
        }

        if (bounded)
        {
            html.Add($"<li><svg width=\"10\" height=\"18\" aria-hidden=\"true\"><path class=\"bound\" d=\"M5 0V18\"/></svg>the least that any matrix of this rank can lose, beside the bar that it bounds</li>");
        }

        html.Add($"</ul>\n<div class=\"bars\">\n");
        AddAxis(html, axis);
        html.Add($"<ol>\n");
        foreach (var layer in shown)
        {
            AddRow(html, layer, axis);
        }

        html.Add($"</ol>\n</div>\n</section>\n");
    }

    private static void AddAxis(HtmlBuilder html, LogAxis axis)
    {
        html.Add($"<svg class=\"axis\" aria-hidden=\"true\">");
        foreach (double tick in axis.Ticks())
        {
            double x = axis.PercentOf(tick);
            string anchor = x == 0 ? "start" : x == 100 ? "end" : "middle";
            html.Add($"<text x=\"{x:0.##}%\" y=\"13\" text-anchor=\"{anchor}\">{Quantity.Error(tick)}</text>");
        }

        html.Add($"</svg>\n");
    }

    private static void AddRow(HtmlBuilder html, LayerReport layer, LogAxis axis)
    {
        html.Add($"<li><span class=\"name\"><bdi>{ReportText.Short(layer.Name)}</bdi></span><svg class=\"bar\" aria-hidden=\"true\">");
        foreach (double tick in axis.Ticks())
        {
            double x = axis.PercentOf(tick);
            html.Add($"<line class=\"grid\" x1=\"{x:0.##}%\" x2=\"{x:0.##}%\" y1=\"0\" y2=\"100%\"/>");
        }

        html.Add($"<rect class=\"plain\" y=\"4\" width=\"{axis.PercentOf(layer.RelativeError):0.##}%\" height=\"10\"/>");
        if (layer.WeightedRelativeError is { } weighted)
        {
            html.Add($"<rect class=\"weighted\" y=\"16\" width=\"{axis.PercentOf(weighted):0.##}%\" height=\"6\"/>");
        }

        if (layer.Bound is { } bound)
        {
            // In the norm that was minimised: the weighted one where there are weights.
            double x = axis.PercentOf(bound);
            html.Add($"<line class=\"bound\" x1=\"{x:0.##}%\" x2=\"{x:0.##}%\" y1=\"{(layer.WeightedRelativeError is null ? 1 : 13)}\" y2=\"{(layer.WeightedRelativeError is null ? 17 : 25)}\"/>");
        }

        html.Add($"</svg><span class=\"value\">{Quantity.Error(layer.RelativeError)}");
        if (layer.WeightedRelativeError is not null)
        {
            html.Add($"<small>weighted {Quantity.Error(layer.WeightedRelativeError)}</small>");
        }

        html.Add($"</span></li>\n");
    }

    private static IEnumerable<double> ValuesOf(LayerReport layer) => [layer.RelativeError, layer.WeightedRelativeError ?? 0, layer.Bound ?? 0];

    private static double Worst(LayerReport layer) => Math.Max(layer.RelativeError, layer.WeightedRelativeError ?? 0);

    /// <summary>Whole decades.</summary>
    private readonly record struct LogAxis(int From, int To)
    {
        /// <summary>The decades that hold all values, at least one, and one more where the least value would have no bar.</summary>
        public static LogAxis Around(double least, double most)
        {
            int to = (int)Math.Ceiling(Math.Log10(most));
            int from = (int)Math.Floor(Math.Log10(least * 0.9));
            return new LogAxis(Math.Min(from, to - 1), to);
        }

        /// <summary>The decades; on a short axis 2 and 5 between them, too.</summary>
        public IEnumerable<double> Ticks()
        {
            double[] steps = To - From <= 2 ? [1, 2, 5] : [1];
            for (int decade = From; decade < To; decade++)
            {
                foreach (double step in steps)
                {
                    yield return step * Math.Pow(10, decade);
                }
            }

            yield return Math.Pow(10, To);
        }

        /// <summary>Where a value lies; 0 for none.</summary>
        public double PercentOf(double value) => value <= 0 ? 0 : Math.Clamp((Math.Log10(value) - From) / (To - From), 0, 1) * 100;
    }
}
