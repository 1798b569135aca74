using System.Security.Cryptography;
using System.Text;

namespace Condense.Pipeline.Reports.Html;

/// <summary>A report as one HTML file that needs nothing else: no script, no request, styles and pictures inside.</summary>
public static class ReportHtml
{
    private const string Rest = "img-src data:; base-uri 'none'; form-action 'none'";

    // A browser asks for an icon unless the page names one; an empty one of its own needs no request, but leave for images in it.
    private static readonly string s_inFile =
        $"default-src 'none'; style-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Stylesheet.Text)))}'; {Rest}";

    /// <summary>
    /// What a browser may do with the page, for the header <c>Content-Security-Policy</c>: show it, with its one stylesheet. The file itself says the same
    /// for whoever opens it without a server.
    /// </summary>
    public static string ContentSecurityPolicy { get; } = $"{s_inFile}; frame-ancestors 'none'";

    /// <summary>
    /// Writes a report: the verdict, what it cost, warnings, sizes, errors, spectra, every layer, and how it was made. Charts show what can be told
    /// apart and say what they leave out; the table is whole. O(n log n) over the layers.
    /// </summary>
    /// <param name="report">The report.</param>
    public static string Write(CompressionReport report)
    {
        var html = new HtmlBuilder();
        html.Add($"<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"{s_inFile}\">\n");
        html.Add($"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n");
        html.Add($"<title>{Verdict.Title(report)} · Condense report</title>\n<link rel=\"icon\" href=\"data:,\">\n");
        html.AddStylesheet();
        html.Add($"</head>\n<body>\n");
        MethodStyle.AddPatterns(html);
        html.Add($"<main>\n");
        Verdict.Add(html, report);
        Provenance.AddWarnings(html, report);
        SizeCharts.Add(html, report);
        ErrorBars.Add(html, report);
        SpectrumCharts.Add(html, report);
        LayerTable.Add(html, report);
        Provenance.Add(html, report);
        html.Add($"</main>\n</body>\n</html>\n");
        return html.ToString();
    }
}
