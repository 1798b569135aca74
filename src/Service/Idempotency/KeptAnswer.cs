using System.Text;
using System.Text.Json;
using Condense.Service.Hosting;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Condense.Service.Idempotency;

/// <summary>An answer as it is kept, to be given again.</summary>
/// <param name="Status">The status.</param>
/// <param name="Headers">The headers that belong to it.</param>
/// <param name="Body">The body.</param>
internal sealed record KeptAnswer(int Status, IReadOnlyDictionary<string, string> Headers, string Body)
{
    private const string Json = "application/json; charset=utf-8";

    /// <summary>What the server or the connection adds, each time anew.</summary>
    private static readonly HashSet<string> s_others = new(StringComparer.OrdinalIgnoreCase)
    {
        HeaderNames.Date, HeaderNames.Server, HeaderNames.ContentLength, HeaderNames.TransferEncoding, HeaderNames.Connection,
        HeaderNames.XContentTypeOptions, "RateLimit", "RateLimit-Policy",
    };

    /// <summary>The answer that tells of a new resource.</summary>
    /// <param name="location">Its address.</param>
    /// <param name="document">Its document.</param>
    /// <param name="retryAfter">When to look at it; null for whenever.</param>
    public static KeptAnswer Created<T>(string location, T document, string? retryAfter = null)
    {
        var answer = Of(StatusCodes.Status201Created, document).With(HeaderNames.Location, location);
        return retryAfter is null ? answer : answer.With(HeaderNames.RetryAfter, retryAfter);
    }

    /// <summary>The answer that tells of a resource that work goes on with.</summary>
    /// <param name="location">Its address.</param>
    /// <param name="document">Its document.</param>
    public static KeptAnswer Accepted<T>(string location, T document) => Created(location, document) with { Status = StatusCodes.Status202Accepted };

    /// <summary>The answer that is a document.</summary>
    public static KeptAnswer Of<T>(int status, T document) => new(
        status,
        new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase) { [HeaderNames.ContentType] = Json },
        JsonSerializer.Serialize(document, ApiJson.Options));

    /// <summary>The same answer with one more header.</summary>
    public KeptAnswer With(string header, string value) =>
        this with { Headers = new Dictionary<string, string>(Headers, StringComparer.OrdinalIgnoreCase) { [header] = value } };

    /// <summary>The answer that a handler has written.</summary>
    public static KeptAnswer Of(HttpResponse response, MemoryStream body) => new(
        response.StatusCode,
        response.Headers.Where(header => !s_others.Contains(header.Key)).ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase),
        Encoding.UTF8.GetString(body.GetBuffer(), 0, (int)body.Length));

    /// <summary>The answer of a record; null when it is not kept.</summary>
    public static KeptAnswer? Of(IdempotencyRecord record) => record is { Status: { } status, HeadersJson: { } headers, Body: { } body }
        ? new KeptAnswer(status, JsonSerializer.Deserialize<Dictionary<string, string>>(headers)!, body)
        : null;

    /// <summary>The headers as a record has them.</summary>
    public string HeadersJson() => JsonSerializer.Serialize(Headers);

    /// <summary>Gives the answer again.</summary>
    public async Task WriteAsync(HttpResponse response, CancellationToken cancellationToken)
    {
        response.StatusCode = Status;
        foreach (var (name, value) in Headers)
        {
            response.Headers[name] = new StringValues(value);
        }

        response.Headers["Idempotent-Replayed"] = "true";
        byte[] body = Encoding.UTF8.GetBytes(Body);
        response.ContentLength = body.Length;
        await response.Body.WriteAsync(body, cancellationToken);
    }

    /// <summary>Whether two answers are the same.</summary>
    public bool Equals(KeptAnswer? other) =>
        other is not null
        && Status == other.Status
        && string.Equals(Body, other.Body, StringComparison.Ordinal)
        && Headers.Count == other.Headers.Count
        && Headers.All(header => other.Headers.TryGetValue(header.Key, out string? value) && string.Equals(header.Value, value, StringComparison.Ordinal));

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Status, Headers.Count, Body);
}
