namespace Condense.Service.Uploads;

/// <summary>What the log says of uploads.</summary>
internal static partial class UploadLog
{
    /// <summary>Some had expired.</summary>
    [LoggerMessage(EventId = 2100, Level = LogLevel.Information, Message = "Removed {Count} uploads and uncommitted models that had expired")]
    public static partial void Removed(ILogger logger, int count);

    /// <summary>A round failed.</summary>
    [LoggerMessage(EventId = 2101, Level = LogLevel.Error, Message = "Expired uploads could not be removed; the next round tries again")]
    public static partial void SweepFailed(ILogger logger, Exception exception);
}
