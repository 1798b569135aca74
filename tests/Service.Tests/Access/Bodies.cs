using System.Net.Http.Headers;

namespace Condense.Service.Tests.Access;

/// <summary>What an endpoint must be sent for its handler to look the id up at all.</summary>
internal static class Bodies
{
    private static readonly (string, string)[] s_tus = [("Tus-Resumable", "1.0.0"), ("Upload-Offset", "0")];

    /// <summary>The body and headers of a request.</summary>
    public static (HttpContent? Content, (string Name, string Value)[] Headers) Of(EndpointUnderTest endpoint) => (endpoint.Method, endpoint.Template) switch
    {
        ("PATCH", "/v1/uploads/{id}") => (Piece(), s_tus),
        ("POST", "/v1/uploads/{id}") => (Piece(), [.. s_tus, ("X-HTTP-Method-Override", "PATCH")]),
        (_, "/v1/uploads/{id}") => (null, s_tus),
        ("POST", "/v1/models/{id}/parts") => (ApiClient.Bytes([1, 2, 3]), []),
        ("GET" or "HEAD" or "DELETE" or "OPTIONS", _) => (null, []),
        _ => (ApiClient.Json("{}"), []),
    };

    private static ByteArrayContent Piece()
    {
        var content = new ByteArrayContent([1, 2, 3]);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/offset+octet-stream");
        return content;
    }
}
