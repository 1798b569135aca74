namespace Condense.Service.Jobs;

/// <summary>What the log says of jobs.</summary>
internal static partial class JobLog
{
    /// <summary>An attempt failed through our fault.</summary>
    [LoggerMessage(EventId = 3000, Level = LogLevel.Error, Message = "Attempt {Attempt} of {Job} failed")]
    public static partial void AttemptFailed(ILogger logger, Exception exception, string job, int attempt);

    /// <summary>An attempt began.</summary>
    [LoggerMessage(EventId = 3030, Level = LogLevel.Information, Message = "Attempt {Attempt} of {Job} began")]
    public static partial void AttemptBegan(ILogger logger, string job, int attempt);

    /// <summary>An attempt has ended.</summary>
    [LoggerMessage(EventId = 3031, Level = LogLevel.Information, Message = "The attempt at {Job} ended: {Reason}")]
    public static partial void AttemptEnded(ILogger logger, string job, string reason);

    /// <summary>Housekeeping found what a dead process had left.</summary>
    [LoggerMessage(EventId = 3001, Level = LogLevel.Information, Message = "Cleaned up after the last process: {Staged} unfinished uploads, {Artifacts} files without a row, {Folders} job folders; {Rescheduled} jobs and models rescheduled")]
    public static partial void CleanedUp(ILogger logger, int staged, int artifacts, int folders, int rescheduled);
}
