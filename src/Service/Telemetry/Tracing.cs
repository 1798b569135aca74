using System.Diagnostics;

namespace Condense.Service.Telemetry;

/// <summary>
/// The spans of the service. One trace leads from the request that made a job, through its row, to each attempt, its stages, the result, and the
/// webhooks that tell of it, whatever the process: rows carry the W3C <c>traceparent</c>.
/// </summary>
internal static class Tracing
{
    /// <summary>The source's name.</summary>
    public const string SourceName = "Condense";

    private static readonly ActivitySource s_source = new(SourceName);

    /// <summary>The <c>traceparent</c> of what happens now, to be kept with a row; null when nothing is traced.</summary>
    public static string? Current => Activity.Current is { IdFormat: ActivityIdFormat.W3C } activity ? activity.Id : null;

    /// <summary>Begins a span within what happens now.</summary>
    /// <param name="name">What it is, a word of ours.</param>
    /// <param name="kind">Its part in the conversation.</param>
    /// <returns>The span; null while nobody collects any.</returns>
    public static Activity? Begin(string name, ActivityKind kind = ActivityKind.Internal) => s_source.StartActivity(name, kind);

    /// <summary>
    /// Goes on with the trace of a row. Never null, also while nobody collects spans: what is logged, and what is passed on, still names the trace.
    /// </summary>
    /// <param name="name">What it is, a word of ours.</param>
    /// <param name="traceParent">The row's; null begins a trace.</param>
    /// <param name="kind">Its part in the conversation.</param>
    public static Activity Continue(string name, string? traceParent, ActivityKind kind)
    {
        // Whatever runs here, a timer or a scheduler, is not what the row's trace is about.
        Activity.Current = null;
        if (s_source.StartActivity(name, kind, traceParent) is { } recorded)
        {
            return recorded;
        }

        var unrecorded = new Activity(name).SetIdFormat(ActivityIdFormat.W3C);
        return (traceParent is null ? unrecorded : unrecorded.SetParentId(traceParent)).Start();
    }

    /// <summary>Begins a span of a known parent, without becoming what happens now: for spans that begin in one place and end in another.</summary>
    public static Activity? BeginDetached(string name, ActivityContext parent)
    {
        var current = Activity.Current;
        var span = s_source.StartActivity(name, ActivityKind.Internal, parent);
        Activity.Current = current;
        return span;
    }

    /// <summary>Says that what the span is about has failed, in a word of ours.</summary>
    public static void Failed(this Activity span, string code) => span.SetStatus(ActivityStatusCode.Error, code).SetTag("error.type", code);
}
