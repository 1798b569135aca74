namespace Condense.Service.Jobs;

/// <summary>A row of the table <c>event</c>: something that happened to a job. Sequences have no gaps.</summary>
internal sealed class JobEvent
{
    /// <summary>The job.</summary>
    public required string JobId { get; init; }

    /// <summary>Its place among the job's events, from 1.</summary>
    public required int Sequence { get; init; }

    /// <summary>The id, <c>evt_…</c>.</summary>
    public required string Id { get; init; }

    /// <summary>One of <see cref="EventType"/>.</summary>
    public required string Type { get; init; }

    /// <summary>When it happened, UTC.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>What goes with it, as JSON; null when nothing does.</summary>
    public string? DataJson { get; init; }
}

/// <summary>The types of events.</summary>
internal static class EventType
{
    /// <summary>Accepted.</summary>
    public const string Queued = "job.queued";

    /// <summary>An attempt began.</summary>
    public const string Started = "job.started";

    /// <summary>It came further.</summary>
    public const string Progress = "job.progress";

    /// <summary>It was asked to stop.</summary>
    public const string Canceling = "job.canceling";

    /// <summary>An attempt failed through our fault, was drained, or its worker died: the job waits again.</summary>
    public const string Requeued = "job.requeued";

    /// <summary>It ended well.</summary>
    public const string Succeeded = "job.succeeded";

    /// <summary>It ended with an error.</summary>
    public const string Failed = "job.failed";

    /// <summary>It ended because it was asked to.</summary>
    public const string Canceled = "job.canceled";

    /// <summary>It ended because nobody had begun it in time.</summary>
    public const string Expired = "job.expired";
}
