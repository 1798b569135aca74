using System.Diagnostics.Metrics;
using System.Reflection;
using System.Text.Json;
using Condense.Pipeline.Recipes;
using Condense.Pipeline.Reports;
using Condense.Pipeline.Stages;
using Condense.Service.Jobs;
using Condense.Service.Problems;
using Condense.Service.Storage;
using Condense.Service.Webhooks;

namespace Condense.Service.Telemetry;

/// <summary>
/// What the service counts. Whoever makes something happen tells it here, after the commit: what was rolled back is not counted. Labels are words of
/// ours; whatever else arrives is counted as <c>other</c>, so that no client can make new series.
/// </summary>
internal sealed class ServiceMetrics
{
    /// <summary>The meter's name.</summary>
    public const string MeterName = "Condense";

    /// <summary>A delivery that did not arrive and will be tried again.</summary>
    public const string Retried = "retried";

    /// <summary>Stands for a word that is not one of ours.</summary>
    public const string Other = "other";

    private static readonly HashSet<string> s_outcomes =
        new([.. Words<Outcome>(), Word(JobState.Failed), Word(JobState.Canceled), Word(JobState.Expired)], StringComparer.Ordinal);

    private static readonly HashSet<string> s_stages = new(Words<Stage>(), StringComparer.Ordinal);
    private static readonly HashSet<string> s_methods = new(MethodCatalogue.All.Select(method => method.Name), StringComparer.Ordinal) { MethodsOfJob.Any, MethodsOfJob.Several };
    private static readonly HashSet<string> s_deliveries = new(StringComparer.Ordinal) { DeliveryState.Succeeded, Retried, DeliveryState.Failed, DeliveryState.Dropped };

    /// <summary>Every error code, and every word for an end: the public fields of their types.</summary>
    private static readonly HashSet<string> s_reasons =
        new([.. Fields<ProblemKind>(typeof(ProblemKind)).Select(kind => kind.Code), .. Fields<string>(typeof(AttemptEnd))], StringComparer.Ordinal);

    private static readonly InstrumentAdvice<double> s_durations =
        new() { HistogramBucketBoundaries = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 21600] };

    private readonly Counter<long> _jobs;
    private readonly Counter<long> _attempts;
    private readonly Counter<long> _bytesIn;
    private readonly Counter<long> _bytesOut;
    private readonly Counter<long> _deliveries;
    private readonly Histogram<double> _stages;

    /// <summary>Makes the instruments.</summary>
    public ServiceMetrics(IMeterFactory meters, DatabaseGauges database, DataFolder folder)
    {
        var meter = meters.Create(MeterName);
        _jobs = meter.CreateCounter<long>("condense.jobs", null, "Jobs that have ended.");
        _attempts = meter.CreateCounter<long>("condense.job.attempts", null, "Attempts that have ended, by what ended them.");
        _bytesIn = meter.CreateCounter<long>("condense.bytes.in", null, "Bytes of request bodies.");
        _bytesOut = meter.CreateCounter<long>("condense.bytes.out", null, "Bytes of answers' bodies.");
        _deliveries = meter.CreateCounter<long>("condense.webhook.deliveries", null, "Webhook deliveries: tried again later, or ended.");
        _stages = meter.CreateHistogram("condense.job.duration", "s", "How long the stages of succeeded jobs took.", null, s_durations);
        meter.CreateObservableGauge("condense.queue.depth", () => database.Read(look => look.Queued), null, "Jobs that wait for a worker, in the whole cluster.");
        meter.CreateObservableGauge("condense.queue.oldest_age", () => database.Read(look => look.OldestSeconds), "s", "Since when the job that waits longest has waited.");
        meter.CreateObservableGauge("condense.jobs.running", () => database.Read(look => look.Running), null, "Jobs that a worker has, in the whole cluster.");
        meter.CreateObservableGauge("condense.database.up", () => database.IsUp ? 1 : 0, null, "Whether the database answered when it was asked last.");
        meter.CreateObservableGauge("condense.storage.free", () => FreeBytes(folder), "By", "Free bytes on the disk of the data folder.");
    }

    /// <summary>Counts nothing, once: a counter that has never counted is not shown, and its first event would be invisible to rate().</summary>
    public void Begin()
    {
        _bytesIn.Add(0);
        _bytesOut.Add(0);
        foreach (string outcome in s_outcomes)
        {
            _jobs.Add(0, Label("method", MethodsOfJob.Any), Label("outcome", outcome));
        }

        foreach (string reason in new[] { AttemptEnd.Succeeded, AttemptEnd.WorkerDied, ProblemKind.OutOfMemory.Code, ProblemKind.Internal.Code })
        {
            _attempts.Add(0, Label("reason", reason));
        }

        foreach (string outcome in s_deliveries)
        {
            _deliveries.Add(0, Label("outcome", outcome));
        }
    }

    /// <summary>A job has ended.</summary>
    /// <param name="method">What it was asked to use, see <see cref="MethodsOfJob"/>.</param>
    /// <param name="outcome">A word of <see cref="Outcome"/>, or <c>failed</c>, <c>canceled</c>, <c>expired</c>.</param>
    public void JobEnded(string method, string outcome) =>
        _jobs.Add(1, Label("method", Bounded(s_methods, method)), Label("outcome", Bounded(s_outcomes, outcome)));

    /// <summary>An attempt has ended.</summary>
    /// <param name="reason">A word of <see cref="AttemptEnd"/>, or an error code.</param>
    /// <param name="count">How many ended alike.</param>
    public void AttemptEnded(string reason, int count = 1) => _attempts.Add(count, Label("reason", Bounded(s_reasons, reason)));

    /// <summary>A stage of a run has ended.</summary>
    /// <param name="stage">A word of <see cref="Stage"/>.</param>
    /// <param name="seconds">How long it took.</param>
    public void StageTook(string stage, double seconds) => _stages.Record(seconds, Label("stage", Bounded(s_stages, stage)));

    /// <summary>A client has sent bytes.</summary>
    public void BytesIn(long count) => _bytesIn.Add(count);

    /// <summary>A client was sent bytes.</summary>
    public void BytesOut(long count) => _bytesOut.Add(count);

    /// <summary>A try of a webhook delivery has ended.</summary>
    /// <param name="outcome">A final word of <see cref="DeliveryState"/>, or <see cref="Retried"/>.</param>
    public void DeliveryEnded(string outcome) => _deliveries.Add(1, Label("outcome", Bounded(s_deliveries, outcome)));

    /// <summary>A value of an enumeration as the API writes it.</summary>
    public static string Word<T>(T value)
        where T : struct, Enum =>
        JsonNamingPolicy.CamelCase.ConvertName(value.ToString());

    private static IEnumerable<string> Words<T>()
        where T : struct, Enum =>
        Enum.GetValues<T>().Select(Word);

    private static IEnumerable<T> Fields<T>(Type type) => type.GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => field.GetValue(null)).OfType<T>();

    private static string Bounded(HashSet<string> known, string word) => known.Contains(word) ? word : Other;

    private static KeyValuePair<string, object?> Label(string name, string value) => new(name, value);

    /// <summary>The folder may not be there yet, and its disk may be gone.</summary>
    private static IEnumerable<Measurement<long>> FreeBytes(DataFolder folder)
    {
        long free;
        try
        {
            free = new DriveInfo(folder.Root).AvailableFreeSpace;
        }
        catch (IOException)
        {
            return [];
        }

        return [new Measurement<long>(free)];
    }
}
