using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Condense.Service.Problems;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;

namespace Condense.Service.Hosting;

/// <summary>
/// Conditional requests for documents. A document's <c>ETag</c> is the digest of what is sent, so every document has one, and none can change without
/// it.
/// </summary>
internal static class DocumentTags
{
    private const string Json = "application/json; charset=utf-8";

    /// <summary>Gives every document of a group's GETs its tag, answers 304 where the client has it already, and answers HEAD, too.</summary>
    public static void UseDocumentTags(this RouteGroupBuilder group)
    {
        group.AddEndpointFilter(AnswerAsync);
        ((IEndpointConventionBuilder)group).Add(static builder =>
        {
            int at = builder.Metadata.ToList().FindIndex(item => item is IHttpMethodMetadata);
            if (at >= 0 && ((IHttpMethodMetadata)builder.Metadata[at]).HttpMethods is [var method] && HttpMethods.IsGet(method))
            {
                builder.Metadata[at] = new HttpMethodMetadata([HttpMethods.Get, HttpMethods.Head]);
                builder.Metadata.Add(new ProducesResponseTypeMetadata(StatusCodes.Status304NotModified, typeof(void)));
            }
        });
    }

    /// <summary>The tag of a document.</summary>
    public static string Of<T>(T document) => Of(JsonSerializer.SerializeToUtf8Bytes(document, ApiJson.Options));

    /// <summary>Checks <c>If-Match</c> before a change.</summary>
    /// <param name="request">The request.</param>
    /// <param name="tag">The tag of what would be changed.</param>
    /// <exception cref="ProblemException">The client knows another version: <c>precondition_failed</c>.</exception>
    public static void RequireMatch(HttpRequest request, string tag)
    {
        var known = request.GetTypedHeaders().IfMatch;
        var current = new EntityTagHeaderValue(tag);
        if (request.Headers.IfMatch.Count > 0 && !known.Any(item => item.Equals(EntityTagHeaderValue.Any) || item.Compare(current, useStrongComparison: true)))
        {
            throw new ProblemException(ProblemKind.PreconditionFailed, $"If-Match names another version; this is {tag}. Fetch the document again, and decide anew.");
        }
    }

    /// <summary>Whether the client has what has this tag.</summary>
    private static bool IsKnown(HttpRequest request, string tag)
    {
        var current = new EntityTagHeaderValue(tag);
        return request.GetTypedHeaders().IfNoneMatch.Any(known => known.Equals(EntityTagHeaderValue.Any) || known.Compare(current, useStrongComparison: false));
    }

    private static string Of(byte[] bytes) => $"\"{Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 16))}\"";

    private static async ValueTask<object?> AnswerAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        object? result = await next(context);
        while (result is INestedHttpResult nested)
        {
            result = nested.Result;
        }

        var http = context.HttpContext;
        if (!HttpMethods.IsGet(http.Request.Method) && !HttpMethods.IsHead(http.Request.Method))
        {
            return result;
        }

        var (bytes, type) = result switch
        {
            IValueHttpResult { Value: { } document } and IStatusCodeHttpResult { StatusCode: StatusCodes.Status200OK } =>
                (JsonSerializer.SerializeToUtf8Bytes(document, document.GetType(), ApiJson.Options), Json),
            ContentHttpResult { ResponseContent: { } text, StatusCode: null or StatusCodes.Status200OK } content => (Encoding.UTF8.GetBytes(text), content.ContentType),
            _ => (null, null),
        };
        if (bytes is null)
        {
            return result;
        }

        string tag = Of(bytes);
        http.Response.Headers.ETag = tag;
        return IsKnown(http.Request, tag) ? TypedResults.StatusCode(StatusCodes.Status304NotModified) : TypedResults.Bytes(bytes, type);
    }
}
