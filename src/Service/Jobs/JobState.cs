using System.Linq.Expressions;

namespace Condense.Service.Jobs;

/// <summary>Where a job is: <c>queued → running → succeeded | failed | canceled | expired</c>, through <c>canceling</c>.</summary>
internal enum JobState
{
    /// <summary>Waiting for a worker.</summary>
    Queued,

    /// <summary>At work.</summary>
    Running,

    /// <summary>Asked to stop.</summary>
    Canceling,

    /// <summary>Done; the result is a model.</summary>
    Succeeded,

    /// <summary>Ended with an error.</summary>
    Failed,

    /// <summary>Ended because it was asked to.</summary>
    Canceled,

    /// <summary>Ended because nobody had begun it in time.</summary>
    Expired,
}

/// <summary>Questions about states.</summary>
internal static class JobStates
{
    /// <summary>Jobs that are not in a terminal state.</summary>
    public static readonly Expression<Func<Job, bool>> Unfinished =
        job => job.State == JobState.Queued || job.State == JobState.Running || job.State == JobState.Canceling;

    /// <summary>Whether a state never changes again.</summary>
    public static bool IsTerminal(this JobState state) => state is JobState.Succeeded or JobState.Failed or JobState.Canceled or JobState.Expired;
}
