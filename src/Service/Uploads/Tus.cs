using Condense.Service.Problems;

namespace Condense.Service.Uploads;

/// <summary>The words of the tus protocol, version 1.0.0 (<see href="https://tus.io/protocols/resumable-upload"/>).</summary>
internal static class Tus
{
    /// <summary>The version of the protocol.</summary>
    public const string Version = "1.0.0";

    /// <summary>Beyond the core.</summary>
    public const string Extensions = "creation,creation-with-upload,expiration,checksum,termination";

    /// <summary>The type of bytes that continue an upload.</summary>
    public const string ContentType = "application/offset+octet-stream";

    /// <summary>The version that a message speaks.</summary>
    public const string ResumableField = "Tus-Resumable";

    /// <summary>The versions that the service speaks.</summary>
    public const string VersionField = "Tus-Version";

    /// <summary>What the service can do beyond the core.</summary>
    public const string ExtensionField = "Tus-Extension";

    /// <summary>The most bytes of an upload.</summary>
    public const string MaxSizeField = "Tus-Max-Size";

    /// <summary>The algorithms of <see cref="ChecksumField"/>.</summary>
    public const string ChecksumAlgorithmField = "Tus-Checksum-Algorithm";

    /// <summary>Bytes of the whole.</summary>
    public const string LengthField = "Upload-Length";

    /// <summary>Says that the length is told later; not taken here.</summary>
    public const string DeferLengthField = "Upload-Defer-Length";

    /// <summary>Bytes that are there.</summary>
    public const string OffsetField = "Upload-Offset";

    /// <summary>Names and values of the client.</summary>
    public const string MetadataField = "Upload-Metadata";

    /// <summary>The digest of one request's bytes.</summary>
    public const string ChecksumField = "Upload-Checksum";

    /// <summary>When an unfinished upload is removed.</summary>
    public const string ExpiresField = "Upload-Expires";

    /// <summary>Ours: the model that a whole upload has become.</summary>
    public const string ModelField = "Condense-Model";

    /// <summary>Says in every answer of an upload's address which version is spoken: also in those that are given before the address is asked.</summary>
    public static Task AnnounceAsync(HttpContext http, RequestDelegate next)
    {
        if (http.GetEndpoint()?.Metadata.GetMetadata<TusAddress>() is not null)
        {
            // What is set now would be cleared for a problem.
            http.Response.OnStarting(() =>
            {
                http.Response.Headers[ResumableField] = Version;
                if (!Speaks(http.Request))
                {
                    http.Response.Headers[VersionField] = Version;
                }

                return Task.CompletedTask;
            });
        }

        return next(http);
    }

    /// <summary>Refuses another version of the protocol.</summary>
    public static async ValueTask<object?> CheckVersionAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        if (!Speaks(http.Request))
        {
            throw new ProblemException(
                ProblemKind.PreconditionFailed,
                $"The header {ResumableField}: {Version} belongs here; this is \"{http.Request.Headers[ResumableField]}\". Use a tus client, or POST /v1/models for an upload in one piece.");
        }

        return await next(context);
    }

    private static bool Speaks(HttpRequest request) => string.Equals(request.Headers[ResumableField], Version, StringComparison.Ordinal);
}

/// <summary>Marks an address that speaks the protocol.</summary>
internal sealed record TusAddress;
