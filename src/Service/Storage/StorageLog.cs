namespace Condense.Service.Storage;

/// <summary>What the log says of storage.</summary>
internal static partial class StorageLog
{
    /// <summary>Things have expired.</summary>
    [LoggerMessage(EventId = 4000, Level = LogLevel.Information, Message = "Removed {Count} expired rows, blobs and work folders")]
    public static partial void Swept(ILogger logger, int count);

    /// <summary>A round was cut short.</summary>
    [LoggerMessage(EventId = 4001, Level = LogLevel.Warning, Message = "What has expired could not be removed; the next round tries again")]
    public static partial void NotSwept(ILogger logger, Exception exception);

    /// <summary>The database is away.</summary>
    [LoggerMessage(EventId = 4003, Level = LogLevel.Warning, Message = "The database does not answer: {Reason} What is at work goes on; everything else waits until it is back")]
    public static partial void Away(ILogger logger, string reason);

    /// <summary>The database is back.</summary>
    [LoggerMessage(EventId = 4004, Level = LogLevel.Warning, Message = "The database is back after {Seconds} s")]
    public static partial void Back(ILogger logger, long seconds);

    /// <summary>PostgreSQL is not there yet.</summary>
    [LoggerMessage(EventId = 4002, Level = LogLevel.Information, Message = "Waiting for PostgreSQL at {Host}: {Reason}")]
    public static partial void Waiting(ILogger logger, string host, string reason);
}
