namespace Condense.Service.Library;

/// <summary>What the log says of models.</summary>
internal static partial class LibraryLog
{
    /// <summary>An inspection failed through our fault.</summary>
    [LoggerMessage(EventId = 2000, Level = LogLevel.Error, Message = "The inspection of {Model} failed in attempt {Attempt}")]
    public static partial void InspectionFailed(ILogger logger, Exception exception, string model, int attempt);

    /// <summary>A form could not be made through our fault.</summary>
    [LoggerMessage(EventId = 2001, Level = LogLevel.Error, Message = "The dense form of {Model} could not be made; it is tried again when it is asked for")]
    public static partial void ExpansionFailed(ILogger logger, Exception exception, string model);
}
