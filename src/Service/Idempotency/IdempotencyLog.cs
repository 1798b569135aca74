namespace Condense.Service.Idempotency;

/// <summary>What the log says of idempotency keys.</summary>
internal static partial class IdempotencyLog
{
    /// <summary>A claim could not be renewed.</summary>
    [LoggerMessage(EventId = 4000, Level = LogLevel.Warning, Message = "The claim of a running request on its idempotency key could not be renewed")]
    public static partial void NotRenewed(ILogger logger, Exception exception);

    /// <summary>A claim could not be given back.</summary>
    [LoggerMessage(EventId = 4010, Level = LogLevel.Warning, Message = "The claim of a failed request on its idempotency key could not be given back; it runs out by itself")]
    public static partial void NotReleased(ILogger logger, Exception exception);
}
