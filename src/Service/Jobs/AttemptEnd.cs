namespace Condense.Service.Jobs;

/// <summary>The words for how an attempt ended, besides the error codes.</summary>
internal static class AttemptEnd
{
    /// <summary>It made the result.</summary>
    public const string Succeeded = "succeeded";

    /// <summary>It was asked to stop.</summary>
    public const string Canceled = "canceled";

    /// <summary>The service stopped in an orderly way; the attempt does not count against the job.</summary>
    public const string Drained = "drained";

    /// <summary>The database was out of reach for so long that the job might have been another's; the attempt does not count against the job.</summary>
    public const string LeaseLost = "leaseLost";

    /// <summary>The process died.</summary>
    public const string WorkerDied = "workerDied";
}
