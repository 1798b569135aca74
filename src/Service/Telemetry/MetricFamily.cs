using System.Diagnostics.Metrics;

namespace Condense.Service.Telemetry;

/// <summary>What one instrument has measured, a series for each combination of labels.</summary>
internal sealed class MetricFamily
{
    /// <summary>The last resort against labels without bound: what comes beyond is counted without labels.</summary>
    private const int MostSeries = 2000;

    /// <summary>The labels that are shown; measurements that differ in others are one series. All their values are words of ours or of the framework.</summary>
    private static readonly HashSet<string> s_labels = new(StringComparer.Ordinal)
    {
        "method", "outcome", "stage", "reason", "http.request.method", "http.response.status_code", "http.route", "gc.heap.generation", "cpu.mode",
    };

    /// <summary>OpenTelemetry's default, in seconds.</summary>
    private static readonly double[] s_bounds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Series> _series = new(StringComparer.Ordinal);
    private readonly string _help;
    private readonly MetricKind _kind;
    private readonly double[] _bounds;

    /// <summary>The family of an instrument, which names it as OpenTelemetry names metrics for Prometheus.</summary>
    public MetricFamily(Instrument instrument)
    {
        _kind = KindOf(instrument);
        Name = PrometheusText.NameOf(instrument.Name, instrument.Unit, isCounter: _kind is MetricKind.Counter or MetricKind.ObservedCounter);
        _help = instrument.Description ?? instrument.Name;
        _bounds = instrument is Histogram<double> { Advice.HistogramBucketBoundaries: { } bounds } ? [.. bounds] : s_bounds;
    }

    private enum MetricKind
    {
        Counter,
        ObservedCounter,
        Gauge,
        ObservedGauge,
        Histogram,
    }

    /// <summary>The name in the exposition.</summary>
    public string Name { get; }

    /// <summary>Takes a measurement.</summary>
    public void Measure(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        string labels = PrometheusText.LabelsOf(tags, s_labels);
        lock (_lock)
        {
            if (!_series.TryGetValue(labels, out var series))
            {
                labels = _series.Count < MostSeries ? labels : "";
                if (!_series.TryGetValue(labels, out series))
                {
                    _series.Add(labels, series = new Series(_kind == MetricKind.Histogram ? new long[_bounds.Length + 1] : []));
                }
            }

            switch (_kind)
            {
                case MetricKind.Histogram:
                    int bucket = Array.BinarySearch(_bounds, value);
                    series.Buckets[bucket < 0 ? ~bucket : bucket]++;
                    series.Value += value;
                    break;
                default:
                    // What is observed was forgotten before: several measurements under the same labels add up.
                    series.Value += value;
                    break;
            }
        }
    }

    /// <summary>Forgets what was observed: it is about to be observed anew, and what is not there any more is not shown.</summary>
    public void Forget()
    {
        if (_kind is MetricKind.ObservedCounter or MetricKind.ObservedGauge)
        {
            lock (_lock)
            {
                _series.Clear();
            }
        }
    }

    /// <summary>Writes the family; nothing when it has no series.</summary>
    public void Write(PrometheusText text)
    {
        lock (_lock)
        {
            if (_series.Count == 0)
            {
                return;
            }

            text.Begin(Name, _help, _kind switch
            {
                MetricKind.Histogram => "histogram",
                MetricKind.Counter or MetricKind.ObservedCounter => "counter",
                _ => "gauge",
            });
            foreach (var (labels, series) in _series.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            {
                if (_kind == MetricKind.Histogram)
                {
                    text.Histogram(Name, labels, _bounds, series.Buckets, series.Value);
                }
                else
                {
                    text.Sample(Name, labels, series.Value);
                }
            }
        }
    }

    private static MetricKind KindOf(Instrument instrument)
    {
        string type = instrument.GetType().Name;
        return type switch
        {
            _ when type.StartsWith("Counter", StringComparison.Ordinal) => MetricKind.Counter,
            _ when type.StartsWith("ObservableCounter", StringComparison.Ordinal) => MetricKind.ObservedCounter,
            _ when type.StartsWith("Histogram", StringComparison.Ordinal) => MetricKind.Histogram,
            _ when instrument.IsObservable => MetricKind.ObservedGauge,
            _ => MetricKind.Gauge,
        };
    }

    private sealed class Series(long[] buckets)
    {
        public long[] Buckets => buckets;

        public double Value { get; set; }
    }
}
