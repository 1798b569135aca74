using System.Globalization;
using System.Text;

namespace Condense.Service.Telemetry;

/// <summary>Writes Prometheus's text exposition format, version 0.0.4.</summary>
internal sealed class PrometheusText
{
    /// <summary>The media type.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly StringBuilder _text = new();

    /// <summary>The name of a metric: dots become underscores, the unit and, of a counter, <c>total</c> are appended, as OpenTelemetry prescribes.</summary>
    public static string NameOf(string instrument, string? unit, bool isCounter)
    {
        string name = Clean(instrument);
        string? suffix = unit switch
        {
            "s" => "_seconds",
            "By" => "_bytes",
            _ => null,
        };
        name += suffix is not null && !name.EndsWith(suffix, StringComparison.Ordinal) ? suffix : "";
        return isCounter && !name.EndsWith("_total", StringComparison.Ordinal) ? name + "_total" : name;
    }

    /// <summary>The labels of a measurement as they stand between the braces, in the order of their names; only those that are allowed.</summary>
    public static string LabelsOf(ReadOnlySpan<KeyValuePair<string, object?>> tags, IReadOnlySet<string> allowed)
    {
        if (tags.IsEmpty)
        {
            return "";
        }

        var labels = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in tags)
        {
            if (allowed.Contains(name) && value is not null)
            {
                labels[Clean(name)] = Convert.ToString(value, CultureInfo.InvariantCulture)!;
            }
        }

        return string.Join(',', labels.Select(label => $"{label.Key}=\"{EscapeLabel(label.Value)}\""));
    }

    /// <summary>Begins a metric.</summary>
    public void Begin(string name, string help, string type) =>
        _text.Append("# HELP ").Append(name).Append(' ').Append(EscapeHelp(help)).Append("\n# TYPE ").Append(name).Append(' ').Append(type).Append('\n');

    /// <summary>Writes a value.</summary>
    public void Sample(string name, string labels, double value)
    {
        _text.Append(name);
        if (labels.Length > 0)
        {
            _text.Append('{').Append(labels).Append('}');
        }

        _text.Append(' ').Append(Number(value)).Append('\n');
    }

    /// <summary>Writes a histogram: every bucket counts what lies in it and below.</summary>
    public void Histogram(string name, string labels, IReadOnlyList<double> bounds, IReadOnlyList<long> buckets, double sum)
    {
        string before = labels.Length == 0 ? "" : labels + ",";
        long count = 0;
        for (int i = 0; i < buckets.Count; i++)
        {
            count += buckets[i];
            string bound = i < bounds.Count ? Number(bounds[i]) : "+Inf";
            Sample($"{name}_bucket", $"{before}le=\"{bound}\"", count);
        }

        Sample($"{name}_sum", labels, sum);
        Sample($"{name}_count", labels, count);
    }

    /// <inheritdoc/>
    public override string ToString() => _text.ToString();

    private static string Number(double value) => value switch
    {
        double.PositiveInfinity => "+Inf",
        double.NegativeInfinity => "-Inf",
        _ => value.ToString("R", CultureInfo.InvariantCulture),
    };

    private static string Clean(string name) => string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_'));

    private static string EscapeHelp(string text) => text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

    private static string EscapeLabel(string text) => EscapeHelp(text).Replace("\"", "\\\"", StringComparison.Ordinal);
}
