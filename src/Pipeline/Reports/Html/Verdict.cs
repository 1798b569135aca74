using Condense.Pipeline.Recipes;

namespace Condense.Pipeline.Reports.Html;

/// <summary>The answer, before all details.</summary>
internal static class Verdict
{
    /// <summary>Adds the heading, the two sizes and the figures that decide. O(1).</summary>
    public static void Add(HtmlBuilder html, CompressionReport report)
    {
        bool kept = report.Outcome == Outcome.NotWorthwhile;
        double largest = Math.Max(report.BytesBefore, report.BytesAfter);
        html.Add($"<header>\n<p class=\"eyebrow\">Condense compression report</p>\n<h1>{Title(report)}</h1>\n");
        html.Add($"<p class=\"outcome {(kept ? "kept" : "met")}\"><svg width=\"20\" height=\"20\" viewBox=\"0 0 20 20\" aria-hidden=\"true\"><circle cx=\"10\" cy=\"10\" r=\"10\"/><path d=\"{(kept ? "M6 10H14" : "M5.5 10.5L8.5 13.5L14.5 7")}\"/></svg>{Sentence(report)}</p>\n");
        html.Add($"<dl class=\"sizes\">\n");
        AddSize(html, "before", report.BytesBefore, largest);
        AddSize(html, "after", report.BytesAfter, largest);
        html.Add($"</dl>\n</header>\n");
        AddFigures(html, report);
    }

    /// <summary>The page's title.</summary>
    public static string Title(CompressionReport report) => report switch
    {
        { Outcome: Outcome.NotWorthwhile } => "Kept as it is",
        { BytesAfter: var after, BytesBefore: var before } when after > before => $"{Quantity.Ratio((double)after / before)} larger",
        _ => $"{Quantity.Ratio(report.Ratio)} smaller",
    };

    private static string Sentence(CompressionReport report)
    {
        string sentence = ReportMarkdown.Sentence(report);
        return report.Target is { Kind: TargetKind.Ratio } && report.Outcome == Outcome.MetTarget
            ? FormattableString.Invariant($"Target met: asked for {report.Target.Value:G6}×, reached {report.Ratio:F3}×")
            : char.ToUpperInvariant(sentence[0]) + sentence[1..];
    }

    private static void AddSize(HtmlBuilder html, string when, long bytes, double largest) => html.Add(
        $"<div class=\"{when}\"><dt>{when}</dt><dd><svg class=\"size\" aria-hidden=\"true\"><rect class=\"track\" width=\"100%\" height=\"100%\" rx=\"4\"/><rect class=\"fill\" width=\"{100 * bytes / largest:0.##}%\" height=\"100%\" rx=\"4\"/></svg><span><strong>{Quantity.Bytes(bytes)}</strong> <small>{bytes:N0} bytes</small></span></dd></div>\n");

    private static void AddFigures(HtmlBuilder html, CompressionReport report)
    {
        html.Add($"<section aria-labelledby=\"cost\">\n<h2 id=\"cost\">What it cost</h2>\n<dl class=\"figures\">\n");
        if (report.OutputDifference is { } difference)
        {
            AddFigure(html, "Output difference", Quantity.Error(difference.RelativeDefault), FormattableString.Invariant($"relative, in {difference.Runtime} as users run it; {Quantity.Error(difference.RelativeUnoptimised)} without its optimisations"));
        }
        else
        {
            AddFigure(html, "Output difference", "–", "not measured; the warnings say why");
        }

        AddFigure(html, "Relative error", Quantity.Error(report.RelativeError), "‖W−Ŵ‖ ÷ ‖W‖ over all compressible weights, from the stored bytes");
        AddFigure(html, "Bits per weight", FormattableString.Invariant($"{report.BitsPerWeight:0.##}"), "all stored bits ÷ compressible weights");
        AddFigure(html, "Parameters", Quantity.Ratio(report.ParameterRatio), Change(report.ParametersBefore, report.ParametersAfter));
        double operations = report.MultiplyAddsAfter == 0 ? 1 : (double)report.MultiplyAddsBefore / report.MultiplyAddsAfter;
        AddFigure(html, "Multiply-adds", Quantity.Ratio(operations), Change(report.MultiplyAddsBefore, report.MultiplyAddsAfter) + " per column");
        html.Add($"</dl>\n</section>\n");
    }

    private static string Change(long before, long after) => before == after
        ? FormattableString.Invariant($"unchanged, {before:N0}")
        : FormattableString.Invariant($"{(after < before ? "fewer" : "more")}: {before:N0} → {after:N0}");

    private static void AddFigure(HtmlBuilder html, string name, string value, string detail) =>
        html.Add($"<div><dt>{name}</dt><dd><strong>{value}</strong><small>{detail}</small></dd></div>\n");
}
