using Condense.Service.Hosting;
using Condense.Service.Problems;
using Condense.Service.Storage;
using Microsoft.Net.Http.Headers;

namespace Condense.Service.Access;

/// <summary>
/// Lets in who may: finds the key, its tenant, and whether its scopes reach. An endpoint that does not say who may use it answers nobody. Every
/// request asks the database, so a key that was revoked on one node is refused by all of them from then on.
/// </summary>
internal sealed class Gatekeeper(
    RequestDelegate next, KeyPolicy policy, RateLimits limits, TimeProvider clock, ILogger<Gatekeeper> logger)
{
    private const string Scheme = "Bearer ";

    /// <summary>Judges one request.</summary>
    public async Task InvokeAsync(HttpContext http, Caller caller, KeyRing keys, CondenseDbContext db)
    {
        var endpoint = http.GetEndpoint();
        if (endpoint is null || endpoint.Metadata.GetMetadata<OpenEndpoint>() is not null)
        {
            // The description of the API, an address that does not exist, a probe: nobody's data.
            LoopbackGuard.Check(http.Request, policy.AreAskedFor);
            await next(http);
            return;
        }

        var needed = endpoint.Metadata.GetMetadata<NeededScope>();
        if (needed is null && endpoint is RouteEndpoint)
        {
            throw new InvalidOperationException($"{endpoint.DisplayName} does not say who may use it.");
        }

        bool asked = await policy.AreAskedForAsync(db, http.RequestAborted);
        LoopbackGuard.Check(http.Request, asked);
        bool isKeyless = http.Request.Headers.Authorization.Count == 0 && !asked;
        var key = isKeyless ? null : await FindAsync(http, asked, keys);
        if (key is null && !isKeyless)
        {
            return;
        }

        if (limits.Take(http, key?.Id) is { } wait)
        {
            await RefuseRateAsync(http, wait, $"There are {(key is null ? "too many requests from this address" : "too many requests with this key")}; the header RateLimit says how many may come.");
            return;
        }

        if (key?.Allows(needed?.Scope) == false)
        {
            await RefuseScopeAsync(http, key, needed!.Scope!);
            return;
        }

        caller.Become(key?.TenantId ?? Tenant.Default, key?.Id);
        if (key is not null)
        {
            await keys.NoteUseAsync(key, http.RequestAborted);
        }

        await next(http);
    }

    /// <summary>The key of the request; null when there is none that counts, and the answer says so.</summary>
    private async Task<ApiKey?> FindAsync(HttpContext http, bool asked, KeyRing keys)
    {
        string? text = Read(http.Request);
        string? digest = text is null ? null : KeyText.Digest(text);

        // Whoever else comes from this address, a valid key passes: nobody guesses 262 bits, and a look-up costs little.
        var key = digest is null ? null : await keys.FindAsync(digest, http.RequestAborted);
        if (key is not null && !key.HasExpired(clock.GetUtcNow()))
        {
            return key;
        }

        if (limits.Failures.Take(RateLimits.ClientOf(http)) is { Granted: false } full)
        {
            await RefuseRateAsync(http, full.UntilNext, "There are too many requests without a valid key from this address.");
            return null;
        }

        if (key is not null)
        {
            await RefuseKeyAsync(http, ProblemKind.KeyExpired, FormattableString.Invariant($"The key {key.Prefix}… expired at {key.ExpiresAt:u}. Make another one."));
        }
        else if (http.Request.Headers.Authorization.Count == 0)
        {
            await RefuseKeyAsync(http, ProblemKind.Unauthenticated, $"A key belongs into the header Authorization: Bearer {KeyText.Start}…");
        }
        else if (digest is null)
        {
            await RefuseKeyAsync(http, ProblemKind.Unauthenticated, $"The header Authorization holds no key. It must read Bearer, a space, and the key: {KeyText.Form}.");
        }
        else
        {
            await RefuseKeyAsync(http, ProblemKind.Unauthenticated, asked ? "There is no such key." : "There is no such key. The service asks for none at present: leave the header Authorization out.");
        }

        return null;
    }

    private static string? Read(HttpRequest request) =>
        request.Headers.Authorization is [{ } header] && header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) && KeyText.IsWellFormed(header.AsSpan(Scheme.Length).Trim())
            ? header[Scheme.Length..].Trim()
            : null;

    private Task RefuseKeyAsync(HttpContext http, ProblemKind kind, string detail)
    {
        Log(http, kind);
        http.Response.Headers.WWWAuthenticate = http.Request.Headers.Authorization.Count == 0 ? "Bearer" : "Bearer error=\"invalid_token\"";
        return WriteAsync(http, kind, detail);
    }

    private Task RefuseScopeAsync(HttpContext http, ApiKey key, string scope)
    {
        // Every request counts as one of the key's; the log takes as many as of those without a valid key.
        if (limits.Failures.Take(key.Id).Granted)
        {
            Log(http, ProblemKind.InsufficientScope);
        }

        http.Response.Headers.WWWAuthenticate = $"Bearer error=\"insufficient_scope\", scope=\"{scope}\"";
        return WriteAsync(http, ProblemKind.InsufficientScope, $"This needs the scope {scope}; the key {key.Prefix}… has {key.Scopes.Replace(" ", ", ", StringComparison.Ordinal)}.");
    }

    private static Task RefuseRateAsync(HttpContext http, TimeSpan wait, string detail)
    {
        http.Response.Headers[HeaderNames.RetryAfter] = FormattableString.Invariant($"{RateLimits.Seconds(wait)}");
        return WriteAsync(http, ProblemKind.RateLimited, detail);
    }

    /// <summary>The endpoint's own name, not the request's path: that is the client's text.</summary>
    private void Log(HttpContext http, ProblemKind kind) => AccessLog.Refused(logger, RateLimits.ClientOf(http), http.GetEndpoint()?.DisplayName, kind.Code);

    private static Task WriteAsync(HttpContext http, ProblemKind kind, string detail)
    {
        http.Response.Headers.CacheControl = "no-store";
        return ProblemWriter.WriteAsync(http, new Fault(kind, detail, []), http.RequestAborted);
    }
}
