using System.Diagnostics.Metrics;

namespace Condense.Service.Telemetry;

/// <summary>
/// Listens to the meters of this service and keeps what they measure, as the Prometheus exporters of OpenTelemetry would: no package of theirs is to
/// be had where this is built. Listens to its own service's meters and to the runtime's; a second service in the process has its own.
/// </summary>
internal sealed class MetricsReader : IDisposable
{
    /// <summary>The instruments of others that are shown, all with bounded labels; those of <see cref="ServiceMetrics.MeterName"/> are all shown.</summary>
    private static readonly HashSet<string> s_instruments = new(StringComparer.Ordinal)
    {
        "http.server.request.duration", "http.server.active_requests", "kestrel.active_connections", "kestrel.queued_connections", "kestrel.rejected_connections",
        "dotnet.process.cpu.time", "dotnet.process.memory.working_set", "dotnet.gc.collections", "dotnet.gc.pause.time",
        "dotnet.gc.heap.total_allocated", "dotnet.gc.last_collection.memory.committed_size", "dotnet.thread_pool.thread.count",
        "dotnet.thread_pool.queue.length", "dotnet.exceptions",
    };

    private readonly MeterListener _listener = new();
    private readonly IMeterFactory _meters;
    private readonly Lock _lock = new();
    private readonly List<MetricFamily> _families = [];

    /// <summary>Begins to listen.</summary>
    /// <param name="meters">Makes this service's meters.</param>
    /// <param name="own">The service's own instruments, which must be there before anybody asks.</param>
    public MetricsReader(IMeterFactory meters, ServiceMetrics own)
    {
        _meters = meters;
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (!IsShown(instrument))
            {
                return;
            }

            var family = new MetricFamily(instrument);
            lock (_lock)
            {
                _families.Add(family);
            }

            listener.EnableMeasurementEvents(instrument, family);
        };
        _listener.SetMeasurementEventCallback<long>(static (_, value, tags, family) => ((MetricFamily)family!).Measure(value, tags));
        _listener.SetMeasurementEventCallback<int>(static (_, value, tags, family) => ((MetricFamily)family!).Measure(value, tags));
        _listener.SetMeasurementEventCallback<double>(static (_, value, tags, family) => ((MetricFamily)family!).Measure(value, tags));
        _listener.Start();
        own.Begin();
    }

    /// <summary>Writes everything in the text exposition format 0.0.4.</summary>
    public string Write()
    {
        lock (_lock)
        {
            foreach (var family in _families)
            {
                family.Forget();
            }
        }

        _listener.RecordObservableInstruments();
        var text = new PrometheusText();
        lock (_lock)
        {
            // Two meters may bring an instrument of the same name; a family must stand but once.
            foreach (var family in _families.OrderBy(family => family.Name, StringComparer.Ordinal).DistinctBy(family => family.Name, StringComparer.Ordinal))
            {
                family.Write(text);
            }
        }

        return text.ToString();
    }

    /// <inheritdoc/>
    public void Dispose() => _listener.Dispose();

    private bool IsShown(Instrument instrument) =>
        (instrument.Meter.Scope is null || ReferenceEquals(instrument.Meter.Scope, _meters))
        && (string.Equals(instrument.Meter.Name, ServiceMetrics.MeterName, StringComparison.Ordinal) || s_instruments.Contains(instrument.Name));
}
