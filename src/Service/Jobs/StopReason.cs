namespace Condense.Service.Jobs;

/// <summary>Why an attempt is to stop.</summary>
internal enum StopReason
{
    /// <summary>The process ends in an orderly way: the current layer may finish, the job goes back to the queue.</summary>
    Drained,

    /// <summary>The user canceled the job: at once.</summary>
    Canceled,

    /// <summary>The job has run for as long as the user lets it: at once.</summary>
    OutOfTime,

    /// <summary>The job is another's, or may be: at once.</summary>
    LeaseLost,

    /// <summary>What goes on cannot be written down: at once.</summary>
    Failed,
}
