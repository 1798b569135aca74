using Condense.Service.Access;
using Condense.Service.Hosting;
using Condense.Service.Idempotency;
using Condense.Service.Problems;
using Condense.Service.Storage;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Condense.Service.Webhooks;

/// <summary>The addresses under <c>/v1/webhooks</c>.</summary>
internal static class WebhookEndpoints
{
    private const long BodyLimit = 64 << 10;

    private const string NoStore = "no-store";

    /// <summary>Adds them.</summary>
    public static void MapWebhooks(this RouteGroupBuilder group)
    {
        var webhooks = group.MapGroup("/webhooks").WithTags("Webhooks");
        webhooks.MapPost("/", Create).WithName("CreateWebhook").Needs(Scope.WebhooksManage).AnswersSecret().WithBodyLimit(BodyLimit)
            .Fails(ProblemKind.WebhookUrlForbidden, ProblemKind.QuotaExceeded);
        webhooks.MapGet("/", List).WithName("ListWebhooks").Needs(Scope.WebhooksManage);
        webhooks.MapGet("/{id}", Get).WithName("GetWebhook").Needs(Scope.WebhooksManage);
        webhooks.MapPatch("/{id}", Change).WithName("ChangeWebhook").Needs(Scope.WebhooksManage).WithBodyLimit(BodyLimit).Reads(RequestField.IfMatch)
            .Sends(ResponseField.ETag).Fails(ProblemKind.WebhookUrlForbidden);
        webhooks.MapDelete("/{id}", Delete).WithName("DeleteWebhook").Needs(Scope.WebhooksManage).Reads(RequestField.IfMatch);
        webhooks.MapGet("/default/secret", GetDefaultSecret).WithName("GetDefaultWebhookSecret").Needs(Scope.WebhooksManage);
        webhooks.MapPost("/{id}/rotate-secret", RotateSecret).WithName("RotateWebhookSecret").Needs(Scope.WebhooksManage).AnswersSecret();
        webhooks.MapPost("/{id}/test", Test).WithName("TestWebhook").Needs(Scope.WebhooksManage);
        webhooks.MapGet("/{id}/deliveries", ListDeliveries).WithName("ListDeliveries").Needs(Scope.WebhooksManage)
            .Queries(QueryField.Words("state", DeliveryState.All));
        webhooks.MapPost("/{id}/deliveries/{delivery}/replay", Replay).WithName("ReplayDelivery").Needs(Scope.WebhooksManage)
            .Fails(ProblemKind.WebhookDisabled, ProblemKind.ResourceInUse);
    }

    /// <summary>Makes an endpoint: an address that is told what happens to jobs and models.</summary>
    /// <remarks>
    /// Messages follow Standard Webhooks 1.0: `webhook-id` is constant over retries, `webhook-signature` is `v1,` and the Base64 of HMAC-SHA256 over
    /// `id.timestamp.body` with the secret of this answer, which is shown only here. Any Standard Webhooks library verifies it.
    ///
    /// An answer 2xx within 15 s is success, anything else a failure; redirects are not followed. Failed deliveries are tried ten times: at once, after
    /// 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h, or later if the answer says so (`Retry-After`). 410 disables the endpoint at once, five
    /// days of nothing but failures disable it, too. Messages may come twice, and not in order.
    ///
    /// An address must be public: its host is resolved here, and again at every connection.
    /// </remarks>
    /// <param name="request">The endpoint.</param>
    /// <param name="first">The answer, if it is to be kept.</param>
    /// <param name="register">The endpoints.</param>
    /// <param name="cancellationToken">The request's end.</param>
    /// <response code="201">The endpoint, with its secret.</response>
    public static async Task<Created<WebhookResponse>> Create(
        WebhookRequest request, IdempotentRequest first, WebhookRegister register, CancellationToken cancellationToken)
    {
        first.AnswerWith<WebhookEndpoint>(made => KeptAnswer.Created(Address(made), Tell(made)));
        var endpoint = await register.AddAsync(request, cancellationToken);
        return TypedResults.Created(Address(endpoint), Tell(endpoint));
    }

    /// <summary>Lists endpoints, newest first.</summary>
    /// <param name="http">The request.</param>
    /// <param name="db">The tables.</param>
    /// <param name="limit">Items of the page, 1 to 100. Default 20.</param>
    /// <param name="cursor">The `nextCursor` of the page before.</param>
    /// <response code="200">A page; the header `Link` names the next one.</response>
    public static async Task<Ok<Page<WebhookResponse>>> List(HttpContext http, CondenseDbContext db, int? limit = null, string? cursor = null)
    {
        ListQuery.Check(http.Request);
        return TypedResults.Ok(await Page.ReadAsync(
            before => db.WebhookEndpoints.AsNoTracking().Where(row => before == null || row.Id.CompareTo(before) < 0).OrderByDescending(row => row.Id),
            limit,
            cursor,
            row => row.Id,
            WebhookResponse.Of,
            http));
    }

    /// <summary>Fetches an endpoint.</summary>
    /// <param name="id">The endpoint.</param>
    /// <param name="register">The endpoints.</param>
    /// <param name="cancellationToken">The request's end.</param>
    /// <response code="200">The endpoint, without its secret.</response>
    public static async Task<Ok<WebhookResponse>> Get(string id, WebhookRegister register, CancellationToken cancellationToken) =>
        TypedResults.Ok(WebhookResponse.Of(await register.GetAsync(id, cancellationToken)));

    /// <summary>Changes an endpoint, or enables it again.</summary>
    /// <param name="id">The endpoint.</param>
    /// <param name="changes">What changes; what is absent stays.</param>
    /// <param name="register">The endpoints.</param>
    /// <param name="http">The request.</param>
    /// <response code="200">The endpoint as it is now.</response>
    public static async Task<Ok<WebhookResponse>> Change(string id, WebhookChanges changes, WebhookRegister register, HttpContext http)
    {
        var response = WebhookResponse.Of(await register.ChangeAsync(id, changes, known => RequireMatch(http, known), http.RequestAborted));
        http.Response.Headers.ETag = DocumentTags.Of(response);
        return TypedResults.Ok(response);
    }

    /// <summary>Deletes an endpoint, and everything that was to be sent there.</summary>
    /// <param name="id">The endpoint.</param>
    /// <param name="register">The endpoints.</param>
    /// <param name="http">The request.</param>
    /// <response code="204">It is gone.</response>
    public static async Task<NoContent> Delete(string id, WebhookRegister register, HttpContext http)
    {
        await register.RemoveAsync(id, known => RequireMatch(http, known), http.RequestAborted);
        return TypedResults.NoContent();
    }

    /// <summary>Fetches the secret that signs the webhooks of jobs that name an address themselves.</summary>
    /// <remarks>It is made when it is first needed. `POST /v1/webhooks/default/rotate-secret` replaces it.</remarks>
    /// <param name="caller">Who asks.</param>
    /// <param name="register">The endpoints.</param>
    /// <param name="http">The request.</param>
    /// <response code="200">The secret.</response>
    public static async Task<Ok<WebhookSecretResponse>> GetDefaultSecret(Caller caller, WebhookRegister register, HttpContext http)
    {
        http.Response.Headers.CacheControl = NoStore;
        var tenant = await register.TenantWithSecretAsync(caller.Tenant, http.RequestAborted);
        return TypedResults.Ok(new WebhookSecretResponse(tenant.WebhookSecret!, tenant.PreviousWebhookSecretUntil));
    }

    /// <summary>Gives an endpoint a new secret.</summary>
    /// <remarks>
    /// For 24 hours the old secret signs, too: `webhook-signature` then holds two signatures, and receivers change over without a gap. Two secrets sign
    /// and never three: another rotation within that time ends the older one at once. `default` as id: the secret of jobs that name an address themselves.
    /// </remarks>
    /// <param name="id">The endpoint, or `default`.</param>
    /// <param name="first">The answer, if it is to be kept.</param>
    /// <param name="register">The endpoints.</param>
    /// <param name="http">The request.</param>
    /// <response code="200">The new secret; it is shown only here.</response>
    public static async Task<Ok<WebhookSecretResponse>> RotateSecret(string id, IdempotentRequest first, WebhookRegister register, HttpContext http)
    {
        first.AnswerWith<WebhookSecretResponse>(made => KeptAnswer.Of(StatusCodes.Status200OK, made).With(HeaderNames.CacheControl, NoStore));
        http.Response.Headers.CacheControl = NoStore;
        return TypedResults.Ok(await register.RotateAsync(id, http.RequestAborted));
    }

    /// <summary>Tries an endpoint: sends one `webhook.test` now and says what came of it.</summary>
    /// <remarks>One attempt, also to a disabled endpoint; a failure says nothing against the endpoint.</remarks>
    /// <param name="id">The endpoint.</param>
    /// <param name="register">The endpoints.</param>
    /// <param name="queue">The outbox.</param>
    /// <param name="dispatcher">Sends.</param>
    /// <param name="options">How webhooks are sent.</param>
    /// <param name="lifetime">The process.</param>
    /// <param name="cancellationToken">The request's end.</param>
    /// <response code="200">The delivery with its attempt, `succeeded` or `failed`.</response>
    public static async Task<Ok<DeliveryResponse>> Test(
        string id,
        WebhookRegister register,
        DeliveryQueue queue,
        WebhookDispatcher dispatcher,
        IOptions<WebhookOptions> options,
        IHostApplicationLifetime lifetime,
        CancellationToken cancellationToken)
    {
        var endpoint = await register.GetAsync(id, cancellationToken);
        long now = await queue.NowAsync(cancellationToken);
        var claim = await register.AddTestAsync(endpoint, now + (long)(options.Value.Timeout + WebhookSender.ClaimMargin).TotalMilliseconds, cancellationToken);

        // To its end, also when nobody waits for the answer any more.
        await dispatcher.AttemptAsync(claim, now, lifetime.ApplicationStopping);
        return TypedResults.Ok(DeliveryResponse.Of(await register.DeliveryAsync(id, claim.Id, cancellationToken)));
    }

    /// <summary>Lists what was and will be sent to an endpoint, newest first.</summary>
    /// <param name="id">The endpoint; `default` for the addresses that jobs name themselves.</param>
    /// <param name="http">The request.</param>
    /// <param name="register">The endpoints.</param>
    /// <param name="db">The tables.</param>
    /// <param name="state">Only deliveries in this state.</param>
    /// <param name="limit">Items of the page, 1 to 100. Default 20.</param>
    /// <param name="cursor">The `nextCursor` of the page before.</param>
    /// <response code="200">A page; the header `Link` names the next one.</response>
    public static async Task<Ok<Page<DeliveryResponse>>> ListDeliveries(
        string id, HttpContext http, WebhookRegister register, CondenseDbContext db, string? state = null, int? limit = null, string? cursor = null)
    {
        ListQuery.Check(http.Request, nameof(state));
        if (state is not null && !DeliveryState.All.Contains(state, StringComparer.Ordinal))
        {
            throw ProblemException.Field("?state", $"One of {string.Join(", ", DeliveryState.All)} belongs here.");
        }

        string? endpoint = WebhookRegister.IsDefault(id) ? null : (await register.GetAsync(id, http.RequestAborted)).Id;
        return TypedResults.Ok(await Page.ReadAsync(
            before => db.Deliveries.AsNoTracking()
                .Where(row => row.EndpointId == endpoint && (state == null || row.State == state) && (before == null || row.Id.CompareTo(before) < 0))
                .OrderByDescending(row => row.Id),
            limit,
            cursor,
            row => row.Id,
            DeliveryResponse.Of,
            http));
    }

    /// <summary>Sends a finished delivery again.</summary>
    /// <remarks>The same `webhook-id` and the same bytes, from the first of ten attempts on.</remarks>
    /// <param name="id">The endpoint; `default` for the addresses that jobs name themselves.</param>
    /// <param name="delivery">The delivery.</param>
    /// <param name="first">The answer, if it is to be kept.</param>
    /// <param name="register">The endpoints.</param>
    /// <param name="http">The request.</param>
    /// <response code="202">The delivery, `pending`.</response>
    public static async Task<Accepted<DeliveryResponse>> Replay(string id, string delivery, IdempotentRequest first, WebhookRegister register, HttpContext http)
    {
        string list = $"/v1/webhooks/{id}/deliveries";
        first.AnswerWith<Delivery>(row => KeptAnswer.Accepted(list, DeliveryResponse.Of(row)));
        return TypedResults.Accepted(list, DeliveryResponse.Of(await register.ReplayAsync(id, delivery, http.RequestAborted)));
    }

    private static string Address(WebhookEndpoint endpoint) => $"/v1/webhooks/{endpoint.Id}";

    private static WebhookResponse Tell(WebhookEndpoint made) => WebhookResponse.Of(made) with { Secret = made.Secret };

    private static void RequireMatch(HttpContext http, WebhookEndpoint known) => DocumentTags.RequireMatch(http.Request, DocumentTags.Of(WebhookResponse.Of(known)));
}
