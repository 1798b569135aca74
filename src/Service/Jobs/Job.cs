using Condense.Service.Access;

namespace Condense.Service.Jobs;

/// <summary>A row of the table <c>job</c>: the truth about a job. Quartz only delivers it.</summary>
internal sealed class Job : ITenantOwned
{
    /// <summary>What its ids begin with.</summary>
    public const string IdPrefix = "job_";

    /// <summary>The id, <c>job_…</c>.</summary>
    public required string Id { get; init; }

    /// <inheritdoc/>
    public required string TenantId { get; init; }

    /// <summary>The model to compress.</summary>
    public required string ModelId { get; init; }

    /// <summary>The token counts, if any.</summary>
    public string? DatasetId { get; init; }

    /// <summary>What was asked, as JSON.</summary>
    public required string RequestJson { get; init; }

    /// <summary>Higher first, 0 … 9.</summary>
    public required int Priority { get; init; }

    /// <summary>When it was accepted, UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Where it is.</summary>
    public JobState State { get; set; } = JobState.Queued;

    /// <summary>The fencing token: raised by every claim; whoever writes with an older one writes nothing.</summary>
    public int Token { get; set; }

    /// <summary>Raised by every change; the document's version.</summary>
    public int Version { get; set; } = 1;

    /// <summary>Events so far; the sequence number of the last.</summary>
    public int EventCount { get; set; } = 1;

    /// <summary>The process that has it; null while nobody has.</summary>
    public string? Worker { get; set; }

    /// <summary>Until when, milliseconds since 1970 by the database's clock; a worker that lives moves it on.</summary>
    public long LeaseUntil { get; set; }

    /// <summary>Queued beyond this moment it expires, UTC; null for never.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>The job that this one tries again.</summary>
    public string? RetryOf { get; init; }

    /// <summary>Bytes of memory that a run is expected to need.</summary>
    public long PredictedMemoryBytes { get; init; }

    /// <summary>The trace of the request that made it (W3C).</summary>
    public string? TraceParent { get; init; }

    /// <summary>When the first attempt began, UTC.</summary>
    public DateTimeOffset? StartedAt { get; set; }

    /// <summary>When it reached its terminal state, UTC.</summary>
    public DateTimeOffset? FinishedAt { get; set; }

    /// <summary>The last reported progress, as JSON.</summary>
    public string? ProgressJson { get; set; }

    /// <summary>The result, as JSON; of a succeeded job.</summary>
    public string? ResultJson { get; set; }

    /// <summary>The error, as JSON; of a failed job, and of a queued one that failed and will be tried again.</summary>
    public string? ErrorJson { get; set; }
}
