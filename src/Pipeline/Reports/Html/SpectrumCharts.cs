using System.Globalization;
using System.Text;
using Condense.Engine.Structures;

namespace Condense.Pipeline.Reports.Html;

/// <summary>How each layer's energy falls with the rank, and where it was cut.</summary>
internal static class SpectrumCharts
{
    private const int MostCharts = 24;

    /// <summary>Adds the section. O(n log n) over the layers.</summary>
    public static void Add(HtmlBuilder html, CompressionReport report)
    {
        var known = report.Layers.Where(layer => layer.Spectrum is not null)
            .OrderByDescending(layer => layer.Form is ProductForm).ThenByDescending(layer => layer.BytesBefore).ToList();
        html.Add($"<section aria-labelledby=\"spectra\">\n<h2 id=\"spectra\">Spectra</h2>\n");
        if (known.Count == 0)
        {
            html.Add($"<p class=\"hint\">No layer's spectrum was needed: low rank was not among what could be done.</p>\n</section>\n");
            return;
        }

        html.Add($"<p class=\"hint\">The share of a layer’s energy (its squared singular values, with rows weighted where weights are known) that a matrix of a given rank leaves out. The line marks the rank that was chosen; layers without one were not factorized, and their curve shows why.");
        if (known.Count > MostCharts)
        {
            html.Add($" {known.Count - MostCharts:N0} smaller layers are left out here; the JSON report has them all.");
        }

        html.Add($"</p>\n<div class=\"plots\">\n");
        foreach (var layer in known.Take(MostCharts))
        {
            AddChart(html, layer, layer.Spectrum!);
        }

        html.Add($"</div>\n</section>\n");
    }

    private static void AddChart(HtmlBuilder html, LayerReport layer, LayerSpectrum spectrum)
    {
        int last = spectrum.Ranks[^1];
        int full = Math.Min(layer.Rows, layer.Columns);
        int? cut = (layer.Form as ProductForm)?.Rank;
        string words = cut is { } rank
            ? FormattableString.Invariant($"rank {rank:N0} of {full:N0} keeps {Quantity.Percent(1 - RemainingAt(spectrum, rank))} of the energy")
            : NotCut(layer, spectrum, full);
        html.Add($"<figure>\n<figcaption><bdi>{ReportText.Short(layer.Name)}</bdi><small>{words}</small></figcaption>\n");
        html.Add($"<svg class=\"plot\" role=\"img\" aria-label=\"{words}\"><svg class=\"field\" x=\"40\" y=\"6\" height=\"112\" viewBox=\"0 0 100 100\" preserveAspectRatio=\"none\">");
        html.Add($"<path class=\"grid\" d=\"M0 0H100M0 50H100M0 100H100\"/><path class=\"area\" d=\"{Curve(spectrum, last)}L100 100L0 100Z\"/><path class=\"curve\" d=\"{Curve(spectrum, last)}\"/>");
        if (cut is { } at)
        {
            html.Add($"<path class=\"cut\" d=\"M{100.0 * at / Math.Max(1, last):0.##} 0V100\"/>");
        }

        html.Add($"</svg><text x=\"34\" y=\"14\" text-anchor=\"end\">100 %</text><text x=\"34\" y=\"66\" text-anchor=\"end\">50 %</text><text x=\"34\" y=\"119\" text-anchor=\"end\">0</text>");
        html.Add($"<text x=\"40\" y=\"136\">rank 0</text><text x=\"100%\" y=\"136\" text-anchor=\"end\">{last:N0}</text></svg>\n</figure>\n");
    }

    private static string NotCut(LayerReport layer, LayerSpectrum spectrum, int full)
    {
        for (int i = 0; i < spectrum.Ranks.Count; i++)
        {
            if (spectrum.RemainingEnergy[i] <= 0.1)
            {
                return FormattableString.Invariant($"not factorized ({layer.Method}): 90 % of the energy takes about rank {spectrum.Ranks[i]:N0} of {full:N0}");
            }
        }

        return FormattableString.Invariant($"not factorized ({layer.Method}): rank {spectrum.Ranks[^1]:N0} of {full:N0} would keep {Quantity.Percent(1 - spectrum.RemainingEnergy[^1])}");
    }

    private static double RemainingAt(LayerSpectrum spectrum, int rank)
    {
        int index = 0;
        while (index < spectrum.Ranks.Count - 1 && spectrum.Ranks[index] < rank)
        {
            index++;
        }

        return spectrum.RemainingEnergy[index];
    }

    private static string Curve(LayerSpectrum spectrum, int last)
    {
        var path = new StringBuilder();
        for (int i = 0; i < spectrum.Ranks.Count; i++)
        {
            path.Append(CultureInfo.InvariantCulture, $"{(i == 0 ? 'M' : 'L')}{100.0 * spectrum.Ranks[i] / Math.Max(1, last):0.##} {100 * (1 - spectrum.RemainingEnergy[i]):0.##}");
        }

        // From the top left, where all energy is left out, downwards: y counts from the top.
        return path.ToString();
    }
}
