namespace Condense.Service.Webhooks;

/// <summary>What the log says of webhooks: never an URL, a secret or a body.</summary>
internal static partial class WebhookLog
{
    /// <summary>A receiver did not take a delivery.</summary>
    [LoggerMessage(EventId = 4000, Level = LogLevel.Information, Message = "Attempt {Attempt} of {Delivery} failed with status {Status}; it is {State}")]
    public static partial void AttemptFailed(ILogger logger, string delivery, int attempt, int? status, string state);

    /// <summary>How an attempt ended could not be written down.</summary>
    [LoggerMessage(EventId = 4001, Level = LogLevel.Warning, Message = "How an attempt of {Delivery} ended could not be written down; it will be sent again")]
    public static partial void AttemptLost(ILogger logger, Exception exception, string delivery);

    /// <summary>Due deliveries could not be read.</summary>
    [LoggerMessage(EventId = 4002, Level = LogLevel.Warning, Message = "Due webhooks could not be read; trying again")]
    public static partial void SendingInterrupted(ILogger logger, Exception exception);

    /// <summary>A delivery could not be sent through our fault.</summary>
    [LoggerMessage(EventId = 4003, Level = LogLevel.Error, Message = "{Delivery} could not be sent")]
    public static partial void AttemptBroken(ILogger logger, Exception exception, string delivery);

    /// <summary>The name of a receiver stands for an address that webhooks are not sent to.</summary>
    [LoggerMessage(EventId = 4004, Level = LogLevel.Information, Message = "The name of a receiver was refused: {Reason}")]
    public static partial void NotPublic(ILogger logger, string reason);
}
