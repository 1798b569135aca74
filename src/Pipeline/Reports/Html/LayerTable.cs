namespace Condense.Pipeline.Reports.Html;

/// <summary>Every layer with every number: the charts' text alternative.</summary>
internal static class LayerTable
{
    /// <summary>Adds the section. O(layers).</summary>
    public static void Add(HtmlBuilder html, CompressionReport report)
    {
        bool weighted = report.Layers.Any(layer => layer.WeightedRelativeError is not null);
        bool bounded = report.Layers.Any(layer => layer.Bound is not null);
        html.Add($"<section aria-labelledby=\"layers\">\n<h2 id=\"layers\">Layers</h2>\n<div class=\"scroll\" role=\"region\" aria-labelledby=\"layers\" tabindex=\"0\">\n<table>\n");
        html.Add($"<caption>All {report.Layers.Count:N0} compressible layers, in the order of the file; kept ones too.</caption>\n<thead><tr><th scope=\"col\">Layer</th><th scope=\"col\">Role</th><th scope=\"col\">Shape</th><th scope=\"col\">Method</th><th scope=\"col\" class=\"n\">Bytes before</th><th scope=\"col\" class=\"n\">Bytes after</th><th scope=\"col\" class=\"n\">Ratio</th><th scope=\"col\" class=\"n\">Relative error</th>");
        if (weighted)
        {
            html.Add($"<th scope=\"col\" class=\"n\">Weighted error</th>");
        }

        if (bounded)
        {
            html.Add($"<th scope=\"col\" class=\"n\">Least possible</th>");
        }

        html.Add($"</tr></thead>\n<tbody>\n");
        foreach (var layer in report.Layers)
        {
            html.Add($"<tr><th scope=\"row\"><bdi>{ReportText.Short(layer.Name)}</bdi></th><td>{ReportText.Word(layer.Role)}</td><td>{layer.Rows}×{layer.Columns}</td><td>{ReportMarkdown.Describe(layer)}</td><td class=\"n\">{layer.BytesBefore:N0}</td><td class=\"n\">{layer.BytesAfter:N0}</td><td class=\"n\">{Ratio(layer)}</td><td class=\"n\">{Quantity.Error(layer.RelativeError)}</td>");
            if (weighted)
            {
                html.Add($"<td class=\"n\">{Quantity.Error(layer.WeightedRelativeError)}</td>");
            }

            if (bounded)
            {
                html.Add($"<td class=\"n\">{Quantity.Error(layer.Bound)}</td>");
            }

            html.Add($"</tr>\n");
        }

        html.Add($"</tbody>\n</table>\n</div>\n</section>\n");
    }

    private static string Ratio(LayerReport layer) => layer.BytesAfter > 0 ? Quantity.Ratio((double)layer.BytesBefore / layer.BytesAfter) : "";
}
