namespace Condense.Service.Isolation;

/// <summary>What the log says of child processes.</summary>
internal static partial class IsolationLog
{
    /// <summary>A child wrote to its standard error: native libraries and crashes do.</summary>
    [LoggerMessage(EventId = 5000, Level = LogLevel.Warning, Message = "Child {Process}: {Line}")]
    public static partial void Said(ILogger logger, int process, string line);

    /// <summary>A child holds more memory than it may.</summary>
    [LoggerMessage(EventId = 5001, Level = LogLevel.Warning, Message = "Child {Process} holds {Bytes} bytes of memory, more than the {Cap} of Worker:JobMemoryBytes: it is killed")]
    public static partial void OverMemory(ILogger logger, int process, long bytes, long cap);

    /// <summary>A child did not stop by itself.</summary>
    [LoggerMessage(EventId = 5002, Level = LogLevel.Information, Message = "Child {Process} did not stop within {Grace}: it is killed")]
    public static partial void Killed(ILogger logger, int process, TimeSpan grace);

    /// <summary>A finished piece could not be stored for others.</summary>
    [LoggerMessage(EventId = 5003, Level = LogLevel.Warning, Message = "A finished piece of {Job} could not be stored; a retry will compute it again")]
    public static partial void NotStored(ILogger logger, Exception exception, string job);

    /// <summary>Work for another node's job failed.</summary>
    [LoggerMessage(EventId = 5004, Level = LogLevel.Warning, Message = "Layers of {Job} could not be worked on here; its own worker does them")]
    public static partial void AssistanceFailed(ILogger logger, Exception exception, string job);

    /// <summary>The search for shared layers failed.</summary>
    [LoggerMessage(EventId = 5005, Level = LogLevel.Warning, Message = "Shared layers can't be looked for now")]
    public static partial void SearchFailed(ILogger logger, Exception exception);

    /// <summary>Work for another node's job begins.</summary>
    [LoggerMessage(EventId = 5006, Level = LogLevel.Information, Message = "Works on layers of {Job} ({Stage}) for another worker")]
    public static partial void Assists(ILogger logger, string job, string stage);
}
