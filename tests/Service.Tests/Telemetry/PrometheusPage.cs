using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Xunit;

namespace Condense.Service.Tests.Telemetry;

/// <summary>A page in the text exposition format 0.0.4, read strictly: what a lenient scraper would forgive fails the test.</summary>
internal sealed partial class PrometheusPage
{
    private readonly Dictionary<string, string> _types = new(StringComparer.Ordinal);
    private readonly Dictionary<string, double> _samples = new(StringComparer.Ordinal);

    private PrometheusPage()
    {
    }

    /// <summary>The names of the metrics.</summary>
    public IReadOnlyCollection<string> Metrics => _types.Keys;

    /// <summary>Series as they stand on the page: name and labels.</summary>
    public IReadOnlyCollection<string> Series => _samples.Keys;

    /// <summary>A series' value; null when it is not there.</summary>
    public double? this[string series] => _samples.TryGetValue(series, out double value) ? value : null;

    public static async Task<PrometheusPage> ReadAsync(ApiClient api)
    {
        using var response = await api.SendAsync(HttpMethod.Get, "/metrics");
        string text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(response.IsSuccessStatusCode, text);
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", response.Content.Headers.ContentType!.ToString());
        return Parse(text);
    }

    public static PrometheusPage Parse(string text)
    {
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        var page = new PrometheusPage();
        string metric = "";
        bool typed = false;
        foreach (string line in text[..^1].Split('\n'))
        {
            if (Help().Match(line) is { Success: true } help)
            {
                metric = help.Groups["name"].Value;
                typed = false;
                Assert.True(page._types.TryAdd(metric, "untyped"), $"{metric} stands twice.");
            }
            else if (Type().Match(line) is { Success: true } type)
            {
                Assert.True(type.Groups["name"].Value == metric && !typed, $"TYPE of {type.Groups["name"].Value} is not where it belongs.");
                page._types[metric] = type.Groups["type"].Value;
                typed = true;
            }
            else
            {
                Assert.True(typed, $"{line} comes before its TYPE.");
                page.AddSample(metric, line);
            }
        }

        foreach (string histogram in page._types.Where(pair => pair.Value == "histogram").Select(pair => pair.Key))
        {
            page.CheckHistogram(histogram);
        }

        return page;
    }

    /// <summary>The sum over all series of a metric.</summary>
    public double Sum(string metric) => _samples.Where(pair => pair.Key.Split('{')[0] == metric).Sum(pair => pair.Value);

    private void AddSample(string metric, string line)
    {
        var match = Sample().Match(line);
        Assert.True(match.Success, $"Not a sample: {line}");
        string name = match.Groups["name"].Value;
        string[] suffixes = _types[metric] == "histogram" ? ["_bucket", "_sum", "_count"] : [""];
        Assert.Contains(name, suffixes.Select(suffix => metric + suffix));
        string labels = match.Groups["labels"].Value;
        string[] names = [.. Label().Matches(labels).Select(label => label.Groups["name"].Value)];
        Assert.Equal(names.Distinct(), names);
        double value = Number(match.Groups["value"].Value);
        Assert.True(_types[metric] == "gauge" || value >= 0, line);
        Assert.True(_samples.TryAdd(labels.Length == 0 ? name : $"{name}{{{labels}}}", value), $"{line} stands twice.");
    }

    /// <summary>Buckets ascend and never fall; the last is +Inf and equals the count; there is a sum.</summary>
    private void CheckHistogram(string name)
    {
        var series = new Dictionary<string, List<(double Bound, double Count)>>(StringComparer.Ordinal);
        foreach (var (key, value) in _samples.Where(pair => pair.Key.StartsWith($"{name}_bucket{{", StringComparison.Ordinal)))
        {
            var bound = Bound().Match(key);
            Assert.True(bound.Success, key);
            string rest = new StringBuilder(key).Remove(bound.Index, bound.Length).Replace("{}", "").Replace("_bucket", "").ToString();
            series.TryAdd(rest, []);
            series[rest].Add((Number(bound.Groups["le"].Value), value));
        }

        Assert.NotEmpty(series);
        foreach (var (rest, buckets) in series)
        {
            Assert.Equal(buckets.Select(bucket => bucket.Bound).Order(), buckets.Select(bucket => bucket.Bound));
            Assert.Equal(buckets.Select(bucket => bucket.Count).Order(), buckets.Select(bucket => bucket.Count));
            Assert.Equal(double.PositiveInfinity, buckets[^1].Bound);
            Assert.Equal(buckets[^1].Count, _samples[rest.Replace(name, $"{name}_count", StringComparison.Ordinal)]);
            Assert.True(_samples.ContainsKey(rest.Replace(name, $"{name}_sum", StringComparison.Ordinal)), rest);
        }
    }

    private static double Number(string text) => text switch
    {
        "+Inf" => double.PositiveInfinity,
        "-Inf" => double.NegativeInfinity,
        _ => double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture),
    };

    [GeneratedRegex(@"^# HELP (?<name>[a-zA-Z_:][a-zA-Z0-9_:]*) (?:[^\\\n]|\\\\|\\n)+$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Help();

    [GeneratedRegex(@"^# TYPE (?<name>[a-zA-Z_:][a-zA-Z0-9_:]*) (?<type>counter|gauge|histogram)$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Type();

    [GeneratedRegex("""^(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?<labels>[a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\\\|\\"|\\n)*"(,[a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\\\|\\"|\\n)*")*)\})? (?<value>\+Inf|-Inf|NaN|-?[0-9][0-9.eE+-]*)$""", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Sample();

    [GeneratedRegex("""(?<name>[a-zA-Z_][a-zA-Z0-9_]*)="([^"\\]|\\.)*"(,|$)""", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Label();

    [GeneratedRegex(""",?le="(?<le>[^"]+)"(?=\})""", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Bound();
}
