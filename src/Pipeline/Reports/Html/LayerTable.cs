namespace Condense.Pipeline.Reports.Html;

/// <summary>Every layer with every number: the charts' text alternative.</summary>
internal static class LayerTable
{
    private static readonly string[] s_numbers = ["Bytes before", "Bytes after", "Ratio", "Relative error"];

    /// <summary>Columns that only some reports have.</summary>
    private static readonly (string Header, Func<LayerReport, double?> ErrorOf)[] s_optional =
    [
        ("Weighted error", layer => layer.WeightedRelativeError),
        ("Least possible", layer => layer.Bound),
        ("Heaviest 1 % of rows", layer => layer.HeadError),
        ("Next 9 %", layer => layer.MidError),
        ("Other rows", layer => layer.TailError),
    ];

    /// <summary>Adds the section. O(layers).</summary>
    public static void Add(HtmlBuilder html, CompressionReport report)
    {
        var optional = s_optional.Where(column => report.Layers.Any(layer => column.ErrorOf(layer) is not null)).ToList();
        html.Add($"<section aria-labelledby=\"layers\">\n<h2 id=\"layers\">Layers</h2>\n<div class=\"scroll\" role=\"region\" aria-labelledby=\"layers\" tabindex=\"0\">\n<table>\n");
        html.Add($"<caption>All {report.Layers.Count:N0} compressible layers, in the order of the file; kept ones too.</caption>\n<thead><tr>");
        html.Add($"<th scope=\"col\">Layer</th><th scope=\"col\">Role</th><th scope=\"col\">Shape</th><th scope=\"col\">Method</th>");
        foreach (string header in s_numbers.Concat(optional.Select(column => column.Header)))
        {
            html.Add($"<th scope=\"col\" class=\"n\">{header}</th>");
        }

        html.Add($"</tr></thead>\n<tbody>\n");
        foreach (var layer in report.Layers)
        {
            html.Add($"<tr><th scope=\"row\"><bdi>{ReportText.Short(layer.Name)}</bdi></th><td>{ReportText.Word(layer.Role)}</td><td>{layer.Rows}×{layer.Columns}</td><td>{ReportMarkdown.Describe(layer)}</td>");
            html.Add($"<td class=\"n\">{layer.BytesBefore:N0}</td><td class=\"n\">{layer.BytesAfter:N0}</td><td class=\"n\">{Ratio(layer)}</td><td class=\"n\">{Quantity.Error(layer.RelativeError)}</td>");
            foreach (var (_, errorOf) in optional)
            {
                html.Add($"<td class=\"n\">{Quantity.Error(errorOf(layer))}</td>");
            }

            html.Add($"</tr>\n");
        }

        html.Add($"</tbody>\n</table>\n</div>\n</section>\n");
    }

    private static string Ratio(LayerReport layer) => layer.BytesAfter > 0 ? Quantity.Ratio((double)layer.BytesBefore / layer.BytesAfter) : "";
}
