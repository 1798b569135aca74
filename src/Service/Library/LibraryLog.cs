namespace Condense.Service.Library;

/// <summary>What the log says of models.</summary>
internal static partial class LibraryLog
{
    /// <summary>An inspection failed through our fault.</summary>
    [LoggerMessage(EventId = 2000, Level = LogLevel.Error, Message = "The inspection of {Model} failed in attempt {Attempt}")]
    public static partial void InspectionFailed(ILogger logger, Exception exception, string model, int attempt);
}
