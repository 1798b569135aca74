using Condense.Service.Datasets;
using Condense.Service.Idempotency;
using Condense.Service.Library;
using Condense.Service.Problems;
using Condense.Service.Uploads;

namespace Condense.Service.Hosting;

/// <summary>What the description of the API says of an endpoint beyond its types.</summary>
internal static class EndpointDocumentation
{
    /// <summary>It may answer with these problems, besides those that follow from what it is: <see cref="EndpointContract"/>.</summary>
    public static RouteHandlerBuilder Fails(this RouteHandlerBuilder endpoint, params IReadOnlyList<ProblemKind> kinds) => endpoint.WithMetadata(new ProblemsDocument(kinds));

    /// <summary>It reads these headers.</summary>
    public static RouteHandlerBuilder Reads(this RouteHandlerBuilder endpoint, params RequestField[] fields) => endpoint.WithMetadata([.. fields]);

    /// <summary>Its answers have these headers.</summary>
    public static RouteHandlerBuilder Sends(this RouteHandlerBuilder endpoint, params ResponseField[] fields) => endpoint.WithMetadata([.. fields]);

    /// <summary>Its query has these parameters.</summary>
    public static RouteHandlerBuilder Queries(this RouteHandlerBuilder endpoint, params QueryField[] fields) => endpoint.WithMetadata([.. fields]);

    /// <summary>Its answer holds a secret, which must not be kept to be given again.</summary>
    public static RouteHandlerBuilder AnswersSecret(this RouteHandlerBuilder endpoint) => endpoint.WithMetadata(new SecretAnswer());

    /// <summary>It takes one file, as the body or in a form.</summary>
    public static RouteHandlerBuilder WithUpload(this RouteHandlerBuilder endpoint, string octetStream, string form) =>
        endpoint.WithMetadata(new BodyDocument([octetStream, form]));

    /// <summary>It takes bytes that continue an upload.</summary>
    public static RouteHandlerBuilder WithOffsetBody(this RouteHandlerBuilder endpoint, bool required) =>
        endpoint.WithMetadata(new BodyDocument([Tus.ContentType], required));

    /// <summary>It takes token counts.</summary>
    public static RouteHandlerBuilder WithCounts(this RouteHandlerBuilder endpoint) =>
        endpoint.WithMetadata(new BodyDocument([DatasetEndpoints.Json, DatasetEndpoints.TabSeparated]));

    /// <summary>It gives bytes.</summary>
    public static RouteHandlerBuilder WithDownload(this RouteHandlerBuilder endpoint, params ReadOnlySpan<int> statuses)
    {
        endpoint.WithMetadata(new BytesDocument(Upload.OctetStream));
        foreach (int status in statuses)
        {
            endpoint.Produces(status);
        }

        return endpoint;
    }

    /// <summary>Its body is at most so long.</summary>
    public static RouteHandlerBuilder WithBodyLimit(this RouteHandlerBuilder endpoint, long bytes) =>
        endpoint.WithMetadata(new Microsoft.AspNetCore.Mvc.RequestSizeLimitAttribute(bytes));

    /// <summary>It gives a document, or the same as text of other types.</summary>
    public static RouteHandlerBuilder WithTexts(this RouteHandlerBuilder endpoint, params string[] types) =>
        endpoint.WithMetadata(new TextsDocument(types));
}

/// <summary>How an endpoint refuses.</summary>
internal sealed record ProblemsDocument(IReadOnlyList<ProblemKind> Kinds);

/// <summary>The content types of a body that the handler reads itself.</summary>
internal sealed record BodyDocument(IReadOnlyList<string> Types, bool Required = true);

/// <summary>The content type of an answer of bytes.</summary>
internal sealed record BytesDocument(string Type);

/// <summary>The content types of an answer that also comes as text.</summary>
internal sealed record TextsDocument(IReadOnlyList<string> Types);
