using Condense.Service.Hosting;
using Condense.Service.Idempotency;
using Condense.Service.Problems;
using Condense.Service.Storage;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Microsoft.Net.Http.Headers;

namespace Condense.Service.Access;

/// <summary>The addresses under <c>/v1/api-keys</c>.</summary>
internal static class KeyEndpoints
{
    private const string NoStore = "no-store";

    /// <summary>Adds them.</summary>
    public static void MapApiKeys(this RouteGroupBuilder group)
    {
        var keys = group.MapGroup("/api-keys").WithTags("Keys");
        keys.MapPost("/", Create).WithName("CreateApiKey").Needs(Scope.Admin).AnswersSecret().Fails(ProblemKind.QuotaExceeded);
        keys.MapGet("/", List).WithName("ListApiKeys").Needs(Scope.Admin);
        keys.MapGet("/{id}", Get).WithName("GetApiKey").Needs(Scope.Admin);
        keys.MapDelete("/{id}", Delete).WithName("DeleteApiKey").Needs(Scope.Admin).Reads(RequestField.IfMatch).Fails(ProblemKind.ResourceInUse);
    }

    /// <summary>Makes a key.</summary>
    /// <remarks>
    /// It belongs to the tenant of the key that asks for it. Its text stands in this answer and nowhere else: the service keeps a digest. Where no
    /// keys are asked for yet, the first one must have the scope `admin`, because from then on every request needs one.
    /// </remarks>
    /// <param name="request">What it may do.</param>
    /// <param name="http">The request.</param>
    /// <param name="first">The answer, if it is to be kept.</param>
    /// <param name="caller">Who asks.</param>
    /// <param name="ring">The keys.</param>
    /// <param name="policy">Whether keys are asked for.</param>
    /// <param name="clock">The clock.</param>
    /// <response code="201">The key, with its text.</response>
    public static async Task<Created<KeyResponse>> Create(
        KeyRequest request, HttpContext http, IdempotentRequest first, Caller caller, KeyRing ring, KeyPolicy policy, TimeProvider clock)
    {
        first.AnswerWith<(ApiKey Key, string Text)>(made => KeptAnswer.Created(Address(made.Key), Tell(made)).With(HeaderNames.CacheControl, NoStore));
        ProblemException.ThrowIfAny(request.Check(clock.GetUtcNow(), isFirst: caller.KeyId is null && !policy.AreAskedFor));
        var made = await ring.CreateAsync(caller.Tenant, request.Name, request.Scopes, request.ExpiresAt, http.RequestAborted);
        policy.KeyWasMade();
        http.Response.Headers.CacheControl = NoStore;
        return TypedResults.Created(Address(made.Key), Tell(made));
    }

    /// <summary>Lists the tenant's keys, newest first.</summary>
    /// <param name="http">The request.</param>
    /// <param name="db">The tables.</param>
    /// <param name="limit">Items of the page, 1 to 100. Default 20.</param>
    /// <param name="cursor">The `nextCursor` of the page before.</param>
    /// <response code="200">A page; the header `Link` names the next one.</response>
    public static async Task<Ok<Page<KeyResponse>>> List(HttpContext http, CondenseDbContext db, int? limit = null, string? cursor = null)
    {
        ListQuery.Check(http.Request);
        return TypedResults.Ok(await Page.ReadAsync(
            before => db.ApiKeys.AsNoTracking()
                .Where(key => before == null || key.Id.CompareTo(before) < 0)
                .OrderByDescending(key => key.Id),
            limit,
            cursor,
            key => key.Id,
            KeyResponse.Of,
            http));
    }

    /// <summary>Fetches a key, without its text.</summary>
    /// <param name="id">The key.</param>
    /// <param name="ring">The keys.</param>
    /// <param name="cancellationToken">The request's end.</param>
    /// <response code="200">The key.</response>
    public static async Task<Ok<KeyResponse>> Get(string id, KeyRing ring, CancellationToken cancellationToken) =>
        TypedResults.Ok(KeyResponse.Of(await ring.GetAsync(id, cancellationToken)));

    /// <summary>Revokes a key.</summary>
    /// <remarks>No node takes it from then on. The tenant's last admin key stays: make another one first.</remarks>
    /// <param name="id">The key.</param>
    /// <param name="ring">The keys.</param>
    /// <param name="http">The request.</param>
    /// <response code="204">It is gone.</response>
    public static async Task<NoContent> Delete(string id, KeyRing ring, HttpContext http)
    {
        await ring.RevokeAsync(id, key => DocumentTags.RequireMatch(http.Request, DocumentTags.Of(KeyResponse.Of(key))), http.RequestAborted);
        return TypedResults.NoContent();
    }

    private static string Address(ApiKey key) => $"/v1/api-keys/{key.Id}";

    private static KeyResponse Tell((ApiKey Key, string Text) made) => KeyResponse.Of(made.Key) with { Key = made.Text };
}
