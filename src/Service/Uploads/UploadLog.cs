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

    /// <summary>A sign of life did not get through.</summary>
    [LoggerMessage(EventId = 2102, Level = LogLevel.Warning, Message = "The database could not be told that a model is still being made of the upload {Upload}")]
    public static partial void NotHeld(ILogger logger, Exception exception, string upload);

    /// <summary>One could not be removed.</summary>
    [LoggerMessage(EventId = 2103, Level = LogLevel.Error, Message = "{Id} has expired and could not be removed; it is tried again later")]
    public static partial void NotRemoved(ILogger logger, Exception exception, string id);
}
