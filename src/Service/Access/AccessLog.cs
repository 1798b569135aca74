namespace Condense.Service.Access;

/// <summary>What the log says of keys: never a key, nor a header that may hold one.</summary>
internal static partial class AccessLog
{
    /// <summary>A key was made.</summary>
    [LoggerMessage(EventId = 5000, Level = LogLevel.Information, Message = "Key {Key} ({Prefix}…) of tenant {Tenant} was made with the scopes {Scopes}")]
    public static partial void Made(ILogger logger, string key, string prefix, string tenant, string scopes);

    /// <summary>A key was revoked.</summary>
    [LoggerMessage(EventId = 5001, Level = LogLevel.Information, Message = "Key {Key} of tenant {Tenant} was revoked")]
    public static partial void Revoked(ILogger logger, string key, string tenant);

    /// <summary>A request was refused for its key, or for the lack of one.</summary>
    [LoggerMessage(EventId = 5002, Level = LogLevel.Warning, Message = "{Address} was refused at {Endpoint}: {Code}")]
    public static partial void Refused(ILogger logger, string address, string? endpoint, string code);

    /// <summary>A configured first key was not needed.</summary>
    [LoggerMessage(EventId = 5003, Level = LogLevel.Information, Message = "The tenant has had an admin key before: Access:BootstrapKey is not used")]
    public static partial void BootstrapKeyUnused(ILogger logger);

    /// <summary>Nobody can use the service.</summary>
    [LoggerMessage(EventId = 5004, Level = LogLevel.Warning, Message = "Every key has expired, so nobody is let in. The command `keys create` of the service makes another one")]
    public static partial void NoLiveKey(ILogger logger);
}
