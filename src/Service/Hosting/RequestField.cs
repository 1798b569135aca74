using Condense.Service.Problems;
using Microsoft.OpenApi;

namespace Condense.Service.Hosting;

/// <summary>A header that endpoints read, as the description of the API shows it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Description">What it is for.</param>
/// <param name="Schema">What it looks like.</param>
internal sealed record RequestField(string Name, string Description, OpenApiSchema Schema)
{
    /// <summary>Whether a request needs it.</summary>
    public bool Required { get; init; }

    /// <summary>How a request is refused for its sake.</summary>
    public IReadOnlyList<ProblemKind> Refusals { get; init; } = [];

    /// <summary>A change is made to one version only.</summary>
    public static RequestField IfMatch { get; } = new("If-Match", "The `ETag` of the version that is meant: if there is another one by now, nothing is done.", Text("\"0f3a…\""))
    {
        Refusals = [ProblemKind.PreconditionFailed],
    };

    /// <summary>A document is sent only if the client does not have it.</summary>
    public static RequestField IfNoneMatch { get; } = new("If-None-Match", "The `ETag` of what the client has: if it is still the same, the answer is 304 without a body.", Text("\"0f3a…\""));

    /// <summary>Part of the bytes.</summary>
    public static RequestField Range { get; } = new("Range", "Which bytes: `bytes=0-1023`, `bytes=1024-`, or the last ones with `bytes=-100`.", Text("bytes=0-1023"))
    {
        Refusals = [ProblemKind.RangeNotSatisfiable],
    };

    /// <summary>Part of the bytes, if they are still the same.</summary>
    public static RequestField IfRange { get; } = new("If-Range", "The `ETag` of the bytes that the client has a part of: if it is another by now, all bytes come instead of the range.", Text("\"sha256-0f3a…\""));

    /// <summary>Waiting for a finished answer.</summary>
    public static RequestField Prefer { get; } = new("Prefer", "How long to wait for the end, in seconds; `GET /v1/limits` says how long is granted.", Text("wait=30"));

    /// <summary>The trace that the request belongs to.</summary>
    public static RequestField TraceParent { get; } = new(
        "traceparent", "The trace that the request belongs to (W3C Trace Context): kept with the job and passed on to its webhooks.", Text("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));

    /// <summary>A text, with an example.</summary>
    public static OpenApiSchema Text(string example) => new() { Type = JsonSchemaType.String, Examples = [example] };
}
