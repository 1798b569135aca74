using System.Diagnostics;
using Condense.Service.Hosting;
using Condense.Service.Jobs;
using Condense.Service.Storage;
using Condense.Service.Telemetry;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Net.Http.Headers;

namespace Condense.Service.Problems;

/// <summary>Writes problems: those of exceptions, and those of bare statuses from the framework.</summary>
internal sealed class ProblemWriter(OutageLog outage, ILogger<ProblemWriter> logger) : IExceptionHandler
{
    /// <summary>A detail often says what the client has sent, which may be long.</summary>
    private const int MaxDetail = 4_000;

    /// <inheritdoc/>
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        var fault = Fault.Of(exception);
        if (fault.IsOurs && !outage.Takes(exception))
        {
            ProblemLog.Failed(logger, exception, httpContext.Request.Method, LogText.OneLine(httpContext.Request.Path.Value), fault.Kind.Code);
        }

        await WriteAsync(httpContext, fault, cancellationToken);
        return true;
    }

    /// <summary>Gives every bare status a body, also one that was going to be a file's.</summary>
    public static async Task WriteStatusAsync(HttpContext http, RequestDelegate next)
    {
        await next(http);
        if (http.Response.StatusCode < StatusCodes.Status400BadRequest || http.Response.HasStarted)
        {
            return;
        }

        // What was meant for the content that is not sent.
        http.Response.ContentLength = null;
        http.Response.Headers.Remove(HeaderNames.ContentDisposition);
        var kind = ProblemKind.OfStatus(http.Response.StatusCode);
        string detail = kind.Status switch
        {
            404 => $"There is nothing at {http.Request.Path}. The addresses are described at /swagger.",
            405 => $"{http.Request.Path} does not take {http.Request.Method}.",
            413 => $"{http.Request.Path} takes a body of at most {http.GetEndpoint()?.Metadata.GetMetadata<IRequestSizeLimitMetadata>()?.MaxRequestBodySize} bytes. GET /v1/limits lists the limits.",
            415 => $"{http.Request.Path} does not take the content type \"{http.Request.ContentType}\".",
            416 => "The range lies outside the content; Content-Range says how long it is.",
            _ => kind.Title,
        };
        await WriteAsync(http, new Fault(kind with { Status = http.Response.StatusCode }, detail, []), http.RequestAborted);
    }

    /// <summary>Whether an answer of that status says when to try again, if that may help.</summary>
    public static bool SaysWhen(int status) => status is StatusCodes.Status409Conflict or StatusCodes.Status429TooManyRequests or StatusCodes.Status503ServiceUnavailable;

    /// <summary>Writes a fault as the answer.</summary>
    public static Task WriteAsync(HttpContext context, Fault fault, CancellationToken cancellationToken)
    {
        var kind = fault.Kind;
        context.Response.StatusCode = kind.Status;
        if (kind.Retryable && SaysWhen(kind.Status) && context.Response.Headers.RetryAfter.Count == 0)
        {
            context.Response.Headers.RetryAfter = kind.Status == 429 ? "10" : "2";
        }

        var problem = new Problem
        {
            Type = $"urn:condense:problem:{kind.Code}",
            Title = kind.Title,
            Status = kind.Status,
            Detail = fault.Detail.Length <= MaxDetail ? fault.Detail : $"{fault.Detail.AsSpan(0, MaxDetail)}…",
            Code = kind.Code,
            TraceId = Activity.Current?.TraceId.ToHexString() ?? context.TraceIdentifier,
            Retryable = kind.Retryable,
            Errors = fault.Errors.Count > 0 ? fault.Errors : null,
            Nearest = fault.Nearest is { } nearest ? JobTarget.Of(nearest) : null,
        };
        return context.Response.WriteAsJsonAsync(problem, ApiJson.Options, Problem.ContentType, cancellationToken);
    }
}
