namespace Condense.Service.Problems;

/// <summary>What the log says of problems.</summary>
internal static partial class ProblemLog
{
    /// <summary>A request failed through our fault.</summary>
    [LoggerMessage(EventId = 1000, Level = LogLevel.Error, Message = "{Method} {Path} failed: {Code}")]
    public static partial void Failed(ILogger logger, Exception exception, string method, string? path, string code);
}
