using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Condense.Pipeline.Reports;
using Condense.Pipeline.Reports.Html;
using Xunit;

namespace Condense.Pipeline.Tests.Reports.Html;

public sealed partial class ReportHtmlTests
{
    private const int ManyLayers = 1000;
    private const int MostBytes = 1_000_000;

    [Fact]
    public void The_verdict_comes_first_and_every_layer_stands_in_the_table()
    {
        string html = ReportHtml.Write(SampleReports.Of(SampleReports.Product("encoder", error: 0.125), SampleReports.Kept("head")));
        int[] places = [.. new[] { "<h1>", "What it cost", "Where the bytes are", "What each layer lost", "Spectra", "<h2 id=\"layers\">", "How it was made" }.Select(text => html.IndexOf(text, StringComparison.Ordinal))];
        Assert.DoesNotContain(-1, places);
        Assert.Equal(places.Order(), places);
        Assert.Contains("asked for 2×, reached 2.003×", html, StringComparison.Ordinal);
        Assert.Contains("<tr><th scope=\"row\"><bdi>encoder</bdi></th><td>linear</td><td>64×48</td><td>low-rank (rank 8, factors f32)</td><td class=\"n\">12,288</td><td class=\"n\">3,584</td><td class=\"n\">3.43×</td><td class=\"n\">0.125</td>", html, StringComparison.Ordinal);
        Assert.Contains("<th scope=\"row\"><bdi>head</bdi></th>", html, StringComparison.Ordinal);

        // Half of the energy goes with each rank: after eight of them, 1 − 2⁻⁸ is kept.
        Assert.Contains("rank 8 of 48 keeps 99.6 % of the energy", html, StringComparison.Ordinal);
        Assert.Contains(new string('b', 64), html, StringComparison.Ordinal);
    }

    [Fact]
    public void The_policy_names_the_one_stylesheet_and_allows_nothing_else()
    {
        string html = ReportHtml.Write(SampleReports.Of(SampleReports.Product("a")));
        string style = Style().Match(html).Groups["text"].Value;
        string digest = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(style)));
        Assert.Contains($"style-src 'sha256-{digest}'", ReportHtml.ContentSecurityPolicy, StringComparison.Ordinal);
        Assert.StartsWith("default-src 'none';", ReportHtml.ContentSecurityPolicy, StringComparison.Ordinal);
        Assert.Contains($"&#39;sha256-{digest}&#39;", html, StringComparison.Ordinal);
        Assert.DoesNotMatch(Forbidden(), AttributeValue().Replace(html, "\"\""));
        Assert.DoesNotContain("://", html, StringComparison.Ordinal);
        Assert.Single(Style().Matches(html));
    }

    [Theory]
    [InlineData("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;")]
    [InlineData("\"><img src=x onerror=alert(1)>", "&quot;&gt;&lt;img src=x onerror=alert(1)&gt;")]
    [InlineData("a\r\nSet-Cookie: b", "a\\u000d\\u000aSet-Cookie: b")]
    [InlineData("\u202Egnp.exe\u2066", "\\u202egnp.exe\\u2066")]
    [InlineData("</title></style>'&", "&lt;/title&gt;&lt;/style&gt;&#39;&amp;")]
    [InlineData("مرحبا 层", "مرحبا 层")]
    public void Names_are_text_wherever_they_stand(string name, string shown)
    {
        var report = SampleReports.Of(SampleReports.Product(name), SampleReports.Kept("b")) with
        {
            Warnings = [new ReportWarning("large_error", $"Look at {name}.", name)],
        };
        string html = ReportHtml.Write(report);
        Assert.True(name == shown || !html.Contains(name, StringComparison.Ordinal));

        // Two maps with a label and a tooltip each, what each says aloud, the bar, the spectrum, the table, and twice in the warning.
        Assert.True(html.Split(shown).Length - 1 >= 9, $"{html.Split(shown).Length - 1} places");
        Assert.DoesNotMatch(Forbidden(), AttributeValue().Replace(html, "\"\""));
        string markdown = ReportMarkdown.Write(report);
        Assert.DoesNotContain('\r', markdown.Replace(Environment.NewLine, "\n", StringComparison.Ordinal));
    }

    [Fact]
    public void Half_a_character_is_replaced()
    {
        string name = $"lone {(char)0xD800} surrogate";
        Assert.Contains("<bdi>lone \uFFFD surrogate</bdi>", ReportHtml.Write(SampleReports.Of(SampleReports.Product(name))), StringComparison.Ordinal);
    }

    [Fact]
    public void A_name_of_100_kB_is_cut_in_the_middle()
    {
        string name = "head." + new string('x', 100_000) + ".tail";
        var report = SampleReports.Of(SampleReports.Product(name));
        foreach (string text in new[] { ReportHtml.Write(report), ReportMarkdown.Write(report) })
        {
            Assert.True(text.Length < 40_000, $"{text.Length} characters");
            Assert.Contains("head.xxx", text, StringComparison.Ordinal);
            Assert.Contains("xxx.tail (100,010 characters)", text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_thousand_layers_stay_readable_and_below_a_megabyte()
    {
        var layers = Enumerable.Range(0, ManyLayers)
            .Select(i => SampleReports.Product($"model.layers.{i}.self_attention.output_projection.weight", rows: 64 + i, columns: 512, rank: 16, error: (i + 1) * 1e-4))
            .ToArray();
        string html = ReportHtml.Write(SampleReports.Of(layers));
        Assert.InRange(Encoding.UTF8.GetByteCount(html), 1, MostBytes);
        Assert.Equal(ManyLayers, html.Split("<tr><th scope=\"row\"><bdi>").Length - 1);
        Assert.Contains("941 smaller layers", html, StringComparison.Ordinal);
        Assert.Contains("960 layers with smaller errors", html, StringComparison.Ordinal);
        Assert.Contains("976 smaller layers are left out here", html, StringComparison.Ordinal);
    }

    [Fact]
    public void The_table_tells_frequent_rows_from_rare_ones_where_that_is_known()
    {
        string without = ReportHtml.Write(SampleReports.Of(SampleReports.Product("a")));
        Assert.DoesNotContain("Heaviest 1 % of rows", without, StringComparison.Ordinal);
        string html = ReportHtml.Write(SampleReports.Of(SampleReports.Product("a") with { HeadError = 0.01, MidError = 0.02, TailError = 0.3 }));
        Assert.Contains("<th scope=\"col\" class=\"n\">Heaviest 1 % of rows</th>", html, StringComparison.Ordinal);
        Assert.Contains("<td class=\"n\">0.01</td><td class=\"n\">0.02</td><td class=\"n\">0.3</td></tr>", html, StringComparison.Ordinal);
    }

    [Fact]
    public void Tiles_are_labelled_by_what_tells_the_layers_apart()
    {
        string html = ReportHtml.Write(SampleReports.Of(SampleReports.Product("model.layers.0.up.weight"), SampleReports.Product("model.layers.1.up.weight")));
        Assert.Contains("<title>model.layers.0.up.weight: 12,288 bytes, low-rank</title>", html, StringComparison.Ordinal);
        Assert.Contains("y=\"16\">0</text>", html, StringComparison.Ordinal);
        string different = ReportHtml.Write(SampleReports.Of(SampleReports.Product("encoder.weight"), SampleReports.Product("weight")));
        Assert.Contains("y=\"16\">encoder.weight</text>", different, StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_that_was_kept_gets_a_report_too()
    {
        string html = ReportHtml.Write(SampleReports.Of(SampleReports.Kept("a")) with { Outcome = Outcome.NotWorthwhile, OutputDifference = null });
        Assert.Contains("<h1>Kept as it is</h1>", html, StringComparison.Ordinal);
        Assert.Contains("Not worthwhile, the original is kept", html, StringComparison.Ordinal);
        Assert.Contains("Nothing: every layer was kept as it is.", html, StringComparison.Ordinal);
        string empty = ReportHtml.Write(SampleReports.Of() with { Outcome = Outcome.NotWorthwhile });
        Assert.DoesNotContain("NaN", html + empty, StringComparison.Ordinal);
    }

    [GeneratedRegex("<style>(?<text>.*?)</style>", RegexOptions.Singleline | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Style();

    [GeneratedRegex("\"[^\"]*\"", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex AttributeValue();

    /// <summary>Whatever runs, loads or styles beside the one stylesheet, within tags.</summary>
    [GeneratedRegex("<(script|img|iframe|object|embed|form|base|a|image|foreignObject)\\b|<[a-z][^>]*\\s(on[a-z]+|style|src|action)=", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Forbidden();
}
