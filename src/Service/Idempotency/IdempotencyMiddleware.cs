using System.Security.Cryptography;
using System.Text;
using Condense.Service.Access;
using Condense.Service.Hosting;
using Condense.Service.Problems;
using Condense.Service.Storage;
using Condense.Service.Uploads;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Condense.Service.Idempotency;

/// <summary>
/// The header <c>Idempotency-Key</c> on every POST: the first answer is kept for 24 hours and given again. A request claims its key before anything
/// else happens; what it makes commits together with its answer; a failure that may pass gives the key back.
/// </summary>
internal sealed class IdempotencyMiddleware(RequestDelegate next, IServiceScopeFactory scopes, TimeProvider clock, ILogger<IdempotencyMiddleware> logger)
{
    /// <summary>The header.</summary>
    public const string Header = "Idempotency-Key";

    /// <summary>The most characters of a key.</summary>
    public const int MaxLength = 255;

    private const int DrainBytes = 64 << 10;

    /// <summary>Signs of life of which one may get lost, and the next.</summary>
    private const int Beats = 3;

    /// <summary>A form's boundaries and part headers, on top of its file.</summary>
    private const long FormOverhead = 64 << 10;

    /// <summary>What an upload asks for stands in its headers.</summary>
    private static readonly string[] s_fields = [Tus.LengthField, Tus.MetadataField, Tus.OffsetField];

    /// <summary>Answers a request.</summary>
    public async Task InvokeAsync(HttpContext http, Caller caller, IdempotencyKeys keys, IdempotentRequest request, WriteTransaction transaction, IOptions<LimitsOptions> limits)
    {
        if (!HttpMethods.IsPost(http.Request.Method) || http.GetEndpoint() is not { } endpoint || KeyOf(http.Request) is not { } key)
        {
            await next(http);
            return;
        }

        await using var body = new HashingStream(http.Request.Body, Encoding.Latin1.GetBytes(BoundaryOf(http.Request)));
        http.Request.Body = body;
        string Digest() => DigestOf(http.Request, body);
        var (claimedAt, first) = await keys.ClaimAsync(key, http.RequestAborted);
        if (first is not null)
        {
            await ReplayAsync(http, first, body, endpoint, limits.Value, Digest);
            return;
        }

        request.Held = new IdempotentRequest.Claim(key, claimedAt, endpoint.Metadata.GetMetadata<SecretAnswer>() is null, Digest);
        using var end = new CancellationTokenSource();
        var alive = KeepAliveAsync(caller.Tenant, key, claimedAt, limits.Value.IdempotencyLease / Beats, end.Token);
        try
        {
            if (!TakesBody(endpoint) || http.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: false })
            {
                // What a handler has no use for is a part of the request all the same; what is absent has been read.
                await DrainAsync(body, http.RequestAborted);
            }

            await AnswerAsync(http, body, keys, request, transaction);
        }
        finally
        {
            await end.CancelAsync();
            await alive;
        }
    }

    /// <summary>The key that a request names; null without one.</summary>
    /// <exception cref="ProblemException">It is no key: <c>malformed_header</c>.</exception>
    private static string? KeyOf(HttpRequest request)
    {
        var values = request.Headers[Header];
        return values switch
        {
            [] => null,
            [{ Length: > 0 and <= MaxLength } key] when key.All(character => character is > ' ' and < '\x7f') => key,
            _ => throw new ProblemException(ProblemKind.MalformedHeader, $"{Header} stands once and has 1 to {MaxLength} visible ASCII characters, for example a UUID."),
        };
    }

    private static string BoundaryOf(HttpRequest request) =>
        MediaTypeHeaderValue.TryParse(request.ContentType, out var type) ? HeaderUtilities.RemoveQuotes(type.Boundary).ToString() : "";

    private static string DigestOf(HttpRequest request, HashingStream body)
    {
        string fields = string.Concat(s_fields.Where(request.Headers.ContainsKey).Select(name => $"\n{name}: {request.Headers[name]}"));
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{request.Method}\n{request.Path}\n{request.QueryString}\n{body.Digest()}{fields}")));
    }

    /// <summary>Runs the handler, and keeps what it answers.</summary>
    private async Task AnswerAsync(HttpContext http, HashingStream body, IdempotencyKeys keys, IdempotentRequest request, WriteTransaction transaction)
    {
        var claim = request.Held!;
        var client = http.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        using var written = new MemoryStream();
        http.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(written));
        try
        {
            await next(http);
        }
        catch (Exception exception) when (IsFinal(Fault.Of(exception).Kind))
        {
            http.Response.Clear();
            await ProblemWriter.WriteAsync(http, Fault.Of(exception), http.RequestAborted);
        }
        catch
        {
            http.Features.Set(client);
            await TryReleaseAsync(keys, claim);
            throw;
        }

        http.Features.Set(client);
        var answer = KeptAnswer.Of(http.Response, written);
        if (request.Recorded is null || !request.Recorded.Equals(answer))
        {
            // An answer to a body that was not read to its end can't be told from one to another body.
            if (body.IsAtEnd && answer.Status is (>= 200 and < 300) or (>= 400 and < 500 and not StatusCodes.Status429TooManyRequests))
            {
                await transaction.RunAsync(
                    async cancel =>
                    {
                        await request.KeepAsync(claim, answer, cancel);
                        return true;
                    },
                    CancellationToken.None);
            }
            else
            {
                await keys.ReleaseAsync(claim.Key, claim.CreatedAt);
            }
        }

        if (written.Length > 0)
        {
            http.Response.ContentLength = written.Length;
            await http.Response.Body.WriteAsync(written.GetBuffer().AsMemory(0, (int)written.Length), http.RequestAborted);
        }
    }

    /// <summary>Gives a key back after a failure, which the client shall hear of, and not of what befell the key.</summary>
    private async Task TryReleaseAsync(IdempotencyKeys keys, IdempotentRequest.Claim claim)
    {
        try
        {
            await keys.ReleaseAsync(claim.Key, claim.CreatedAt);
        }
        catch (Exception exception)
        {
            // The claim runs out by itself.
            IdempotencyLog.NotReleased(logger, exception);
        }
    }

    private static bool TakesBody(Endpoint endpoint) =>
        endpoint.Metadata.GetMetadata<IAcceptsMetadata>() is not null || endpoint.Metadata.GetMetadata<BodyDocument>() is not null;

    /// <summary>Whether the same request would always end the same way.</summary>
    private static bool IsFinal(ProblemKind kind) =>
        kind is { Status: >= 400 and < 500 and not StatusCodes.Status429TooManyRequests and not StatusCodes.Status413PayloadTooLarge, Retryable: false };

    /// <summary>Answers in place of the first request, if this one is the same.</summary>
    private static async Task ReplayAsync(
        HttpContext http, IdempotencyRecord first, HashingStream body, Endpoint endpoint, LimitsOptions limits, Func<string> digest)
    {
        if (first.Status is null)
        {
            throw new ProblemException(
                ProblemKind.IdempotencyInProgress, $"The first request with the {Header} \"{first.Key}\" is still running. Ask again in a moment.");
        }

        if (endpoint.Metadata.GetMetadata<BodyDocument>() is not null && http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = limits.ModelBytes + FormOverhead;
        }

        await DrainAsync(body, http.RequestAborted);
        if (!string.Equals(first.RequestSha256, digest(), StringComparison.Ordinal))
        {
            throw new ProblemException(
                ProblemKind.IdempotencyKeyReused,
                $"The {Header} \"{first.Key}\" belongs to another request: another address, query or body. Send that one again as it was, or take a new key.");
        }

        var answer = KeptAnswer.Of(first) ?? throw new ProblemException(
            ProblemKind.IdempotencyAnswerSecret, $"The first request with the {Header} \"{first.Key}\" has been answered; its answer held a secret, which is shown once.");
        await answer.WriteAsync(http.Response, http.RequestAborted);
    }

    /// <summary>Reads a body to its end.</summary>
    private static async Task DrainAsync(HashingStream body, CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[DrainBytes];
        while (await body.ReadAsync(buffer, cancellationToken) > 0)
        {
            // Only the digest is wanted.
        }
    }

    /// <summary>An upload may take hours: its claim lives as long as this process and its request do.</summary>
    private async Task KeepAliveAsync(string tenant, string key, DateTimeOffset claimedAt, TimeSpan beat, CancellationToken end)
    {
        while (true)
        {
            try
            {
                await Task.Delay(beat, clock, end);
                await using var scope = scopes.CreateAsyncScope();
                scope.ServiceProvider.GetRequiredService<Caller>().Become(tenant);
                await scope.ServiceProvider.GetRequiredService<IdempotencyKeys>().RenewAsync(key, claimedAt, end);
            }
            catch (OperationCanceledException) when (end.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                // The next beat may get through; else the claim runs out, and then nothing of this request commits.
                IdempotencyLog.NotRenewed(logger, exception);
            }
        }
    }
}

/// <summary>Marks an endpoint whose answer holds a secret: it is not kept, and a repeated request is told so.</summary>
internal sealed record SecretAnswer;
