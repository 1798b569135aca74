namespace Condense.Service.Jobs;

/// <summary>A row of the table <c>attempt</c>: one try of a job by one worker. It counts from the moment it is claimed.</summary>
internal sealed class Attempt
{
    /// <summary>The job.</summary>
    public required string JobId { get; init; }

    /// <summary>The fencing token that it was given; increases from attempt to attempt.</summary>
    public required int Number { get; init; }

    /// <summary>The process.</summary>
    public required string Worker { get; init; }

    /// <summary>When it was claimed, UTC.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>When it ended, UTC.</summary>
    public DateTimeOffset? EndedAt { get; set; }

    /// <summary>How it ended: <c>succeeded</c>, <c>canceled</c>, <c>drained</c>, <c>leaseLost</c>, <c>workerDied</c>, or an error code.</summary>
    public string? EndReason { get; set; }
}
