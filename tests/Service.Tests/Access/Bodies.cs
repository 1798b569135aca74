namespace Condense.Service.Tests.Access;

/// <summary>What an endpoint must be sent for its handler to look the id up at all.</summary>
internal static class Bodies
{
    /// <summary>The body and headers of a request.</summary>
    public static (HttpContent? Content, (string Name, string Value)[] Headers) Of(EndpointUnderTest endpoint) => endpoint.Method switch
    {
        "GET" or "HEAD" or "DELETE" or "OPTIONS" => (null, []),
        _ => (ApiClient.Json("{}"), []),
    };
}
