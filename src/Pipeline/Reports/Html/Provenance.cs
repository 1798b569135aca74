namespace Condense.Pipeline.Reports.Html;

/// <summary>What the user should know, how long it took, and what made it.</summary>
internal static class Provenance
{
    /// <summary>Adds the warnings; nothing when there are none. O(warnings).</summary>
    public static void AddWarnings(HtmlBuilder html, CompressionReport report)
    {
        if (report.Warnings.Count == 0)
        {
            return;
        }

        html.Add($"<section aria-labelledby=\"warnings\" class=\"warnings\">\n<h2 id=\"warnings\">Good to know</h2>\n<ul>\n");
        foreach (var warning in report.Warnings)
        {
            html.Add($"<li><code>{warning.Code}</code> ");
            if (warning.Layer is { } layer)
            {
                html.Add($"<bdi class=\"name\">{ReportText.Short(layer)}</bdi> ");
            }

            html.Add($"<span>{warning.Detail}</span></li>\n");
        }

        html.Add($"</ul>\n</section>\n");
    }

    /// <summary>Adds the stages' times and the digests. O(stages).</summary>
    public static void Add(HtmlBuilder html, CompressionReport report)
    {
        double longest = Math.Max(report.SecondsByStage.Values.DefaultIfEmpty().Max(), double.Epsilon);
        html.Add($"<section aria-labelledby=\"made\">\n<h2 id=\"made\">How it was made</h2>\n<div class=\"pair\">\n<table class=\"stages\">\n<caption>Seconds by stage, {report.SecondsByStage.Values.Sum():0.##} in all</caption>\n<tbody>\n");
        foreach (var (stage, seconds) in report.SecondsByStage)
        {
            html.Add($"<tr><th scope=\"row\">{stage}</th><td class=\"n\">{seconds:F2}</td><td class=\"wide\"><svg class=\"time\" aria-hidden=\"true\"><rect class=\"fill\" width=\"{100 * seconds / longest:0.##}%\" height=\"100%\" rx=\"3\"/></svg></td></tr>\n");
        }

        html.Add($"</tbody>\n</table>\n<dl class=\"facts\">\n");
        AddFact(html, "Engine", FormattableString.Invariant($"{report.Engine.Version}, {report.Engine.VectorBits}-bit vectors, {report.Engine.Threads} threads, seed {report.Seed}"));
        AddFact(html, "Format", FormatOf(report));
        if (report.ReusedLayers > 0)
        {
            AddFact(html, "Reused", FormattableString.Invariant($"{report.ReusedLayers:N0} layers that an earlier attempt had finished"));
        }

        if (report.OutputDifference is { } difference)
        {
            AddFact(html, "Outputs", FormattableString.Invariant($"compared in {difference.Runtime}: {difference.Inputs}"));
        }

        html.Add($"<div><dt>Original, SHA-256</dt><dd><code>{report.DigestBefore}</code></dd></div>\n<div><dt>Result, SHA-256</dt><dd><code>{report.DigestAfter}</code></dd></div>\n</dl>\n</div>\n</section>\n");
    }

    private static string FormatOf(CompressionReport report)
    {
        string before = report.FormatBefore is { } format && format != report.Format ? $"{ReportText.Word(format)} → " : "";
        string opset = report.OpsetAfter is not { } after ? ""
            : report.OpsetBefore == after || report.OpsetBefore is null ? FormattableString.Invariant($", operator set {after}")
            : FormattableString.Invariant($", operator set {report.OpsetBefore} → {after}");
        return $"{before}{ReportText.Word(report.Format)}{opset}";
    }

    private static void AddFact(HtmlBuilder html, string name, string value) => html.Add($"<div><dt>{name}</dt><dd>{value}</dd></div>\n");
}
