using Condense.Service.Access;
using Condense.Service.Jobs;
using Condense.Service.Problems;
using Condense.Service.Storage;
using Condense.Service.Telemetry;
using Microsoft.EntityFrameworkCore;

namespace Condense.Service.Webhooks;

/// <summary>Keeps a tenant's endpoints and secrets, and looks after their deliveries.</summary>
internal sealed class WebhookRegister(
    CondenseDbContext db, WriteTransaction transaction, WebhookGuard guard, DeliverySignal signal, Caller caller, IdSource ids, TimeProvider clock)
{
    /// <summary>Stands for an endpoint's id where the addresses are meant that jobs name themselves.</summary>
    public const string Default = "default";

    /// <summary>Judges whom a job wants to tell.</summary>
    /// <exception cref="ProblemException">The address is not one that webhooks are sent to, or there is no such endpoint.</exception>
    public async Task RequireAsync(WebhookChoice? choice, string pointer, CancellationToken cancellationToken)
    {
        if (choice?.Url is { } url)
        {
            await guard.RequireAsync(url, $"{pointer}/url", cancellationToken);
        }

        if (await IsGoneAsync(choice, cancellationToken))
        {
            throw ProblemException.Field($"{pointer}/endpoint", $"There is no endpoint {choice!.Endpoint}. POST /v1/webhooks makes one.");
        }
    }

    /// <summary>Whether a job wants to tell an endpoint that is not there.</summary>
    public async Task<bool> IsGoneAsync(WebhookChoice? choice, CancellationToken cancellationToken) =>

        // PostgreSQL takes no text with a NUL, not even to find nothing.
        choice?.Endpoint is { } id && (id.Any(char.IsControl) || !await db.WebhookEndpoints.AnyAsync(row => row.Id == id, cancellationToken));

    /// <summary>Adds an endpoint.</summary>
    /// <exception cref="ProblemException">A field can't be used, or the tenant has as many as it may have.</exception>
    public async Task<WebhookEndpoint> AddAsync(WebhookRequest request, CancellationToken cancellationToken)
    {
        ProblemException.ThrowIfAny(request.Check());
        await guard.RequireAsync(request.Url, "/url", cancellationToken);
        return await transaction.RunAsync(
            _ =>
            {
                var endpoint = new WebhookEndpoint
                {
                    Id = ids.Next("whk_"),
                    TenantId = caller.Tenant,
                    Url = request.Url,
                    Description = request.Description,
                    Events = Join(request.Events ?? WebhookEvent.Default),
                    Secret = WebhookSecret.Make(),
                    CreatedAt = clock.GetUtcNow(),
                };
                db.Add(endpoint);
                return Task.FromResult(endpoint);
            },
            cancellationToken);
    }

    /// <summary>The endpoint of that id.</summary>
    /// <exception cref="ProblemException">There is none: <c>not_found</c>.</exception>
    public async Task<WebhookEndpoint> GetAsync(string id, CancellationToken cancellationToken) =>
        await db.WebhookEndpoints.AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) ?? throw NoEndpoint(id);

    /// <summary>Changes an endpoint.</summary>
    /// <param name="id">The endpoint.</param>
    /// <param name="changes">What changes.</param>
    /// <param name="check">Looks at the endpoint as it is; what it throws keeps it so.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ProblemException">A field can't be used, or there is no such endpoint.</exception>
    public async Task<WebhookEndpoint> ChangeAsync(string id, WebhookChanges changes, Action<WebhookEndpoint> check, CancellationToken cancellationToken)
    {
        ProblemException.ThrowIfAny(changes.Check());
        if (changes.Url is { } url)
        {
            await guard.RequireAsync(url, "/url", cancellationToken);
        }

        return await transaction.RunAsync(
            async cancel =>
            {
                var endpoint = await LockAsync(id, cancel);
                check(endpoint);
                endpoint.Url = changes.Url ?? endpoint.Url;
                endpoint.Description = changes.Description is null ? endpoint.Description : changes.Description.Length == 0 ? null : changes.Description;
                endpoint.Events = changes.Events is null ? endpoint.Events : Join(changes.Events);
                if (changes.Enabled is { } enabled)
                {
                    endpoint.DisabledReason = enabled ? null : endpoint.DisabledReason ?? DeliveryQueue.Manual;

                    // A fresh start: days of failures before it count no more.
                    endpoint.FailingSince = enabled ? null : endpoint.FailingSince;
                }

                return endpoint;
            },
            cancellationToken);
    }

    /// <summary>Removes an endpoint, and everything that was to be sent there.</summary>
    /// <param name="id">The endpoint.</param>
    /// <param name="check">Looks at the endpoint as it is; what it throws keeps it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ProblemException">There is none.</exception>
    public Task<int> RemoveAsync(string id, Action<WebhookEndpoint> check, CancellationToken cancellationToken) =>
        transaction.RunAsync(
            async cancel =>
            {
                check(await GetAsync(id, cancel));

                // The deliveries first, as a sender that writes down an attempt does: two orders could block each other.
                await db.Deliveries.Where(row => row.EndpointId == id).ExecuteDeleteAsync(cancel);
                int removed = await db.WebhookEndpoints.Where(row => row.Id == id).ExecuteDeleteAsync(cancel);
                return removed == 1 ? removed : throw NoEndpoint(id);
            },
            cancellationToken);

    /// <summary>Gives an endpoint, or the tenant's jobs, a new secret; the old one signs too for a day.</summary>
    /// <exception cref="ProblemException">There is no such endpoint.</exception>
    public Task<WebhookSecretResponse> RotateAsync(string id, CancellationToken cancellationToken)
    {
        var until = clock.GetUtcNow() + WebhookSecret.Overlap;
        string secret = WebhookSecret.Make();
        return transaction.RunAsync(
            async cancel =>
            {
                if (IsDefault(id))
                {
                    await TenantLock.TakeAsync(db, caller.Tenant, cancel);
                    var tenant = await db.Tenants.SingleAsync(row => row.Id == caller.Tenant, cancel);
                    tenant.PreviousWebhookSecret = tenant.WebhookSecret;
                    tenant.PreviousWebhookSecretUntil = tenant.WebhookSecret is null ? null : until;
                    tenant.WebhookSecret = secret;
                }
                else
                {
                    var endpoint = await LockAsync(id, cancel);
                    endpoint.PreviousSecret = endpoint.Secret;
                    endpoint.PreviousSecretUntil = until;
                    endpoint.Secret = secret;
                }

                return new WebhookSecretResponse(secret, until);
            },
            cancellationToken);
    }

    /// <summary>A tenant, with the secret that signs the webhooks that its jobs name by address: made now when it has none.</summary>
    public async Task<Tenant> TenantWithSecretAsync(string tenantId, CancellationToken cancellationToken)
    {
        var tenant = await db.Tenants.AsNoTracking().SingleAsync(row => row.Id == tenantId, cancellationToken);
        if (tenant.WebhookSecret is not null)
        {
            return tenant;
        }

        // Several may find none at once: the first one's is taken by all.
        string secret = WebhookSecret.Make();
        await transaction.RunAsync(
            cancel => db.Tenants.Where(row => row.Id == tenantId && row.WebhookSecret == null).ExecuteUpdateAsync(set => set.SetProperty(row => row.WebhookSecret, secret), cancel),
            cancellationToken);
        return await db.Tenants.AsNoTracking().SingleAsync(row => row.Id == tenantId, cancellationToken);
    }

    /// <summary>Adds a delivery that tries an endpoint, claimed by whoever asks.</summary>
    /// <param name="endpoint">The endpoint.</param>
    /// <param name="until">Until when it is claimed, by the database's clock.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<Delivery> AddTestAsync(WebhookEndpoint endpoint, long until, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        var delivery = new Delivery
        {
            Id = ids.Next("dlv_"),
            TenantId = endpoint.TenantId,
            EndpointId = endpoint.Id,
            Type = WebhookEvent.Test,
            Payload = WebhookNotification.Test(endpoint.Id, now),
            TraceParent = Tracing.Current,
            State = DeliveryState.Pending,
            DueAt = until,
            CreatedAt = now,
        };
        return transaction.RunAsync(
            _ =>
            {
                db.Add(delivery);
                return Task.FromResult(delivery);
            },
            cancellationToken);
    }

    /// <summary>A delivery of an endpoint, or of the addresses that jobs name.</summary>
    /// <exception cref="ProblemException">There is none.</exception>
    public async Task<Delivery> DeliveryAsync(string endpoint, string id, CancellationToken cancellationToken)
    {
        string? endpointId = IsDefault(endpoint) ? null : endpoint;
        return await db.Deliveries.AsNoTracking().SingleOrDefaultAsync(row => row.Id == id && row.EndpointId == endpointId, cancellationToken)
            ?? throw new ProblemException(ProblemKind.NotFound, $"There is no delivery {id} of {endpoint}.");
    }

    /// <summary>Sends a finished delivery again, from the first attempt on.</summary>
    /// <exception cref="ProblemException">There is none, it is still being tried, or its endpoint is disabled.</exception>
    public async Task<Delivery> ReplayAsync(string endpoint, string id, CancellationToken cancellationToken)
    {
        var delivery = await DeliveryAsync(endpoint, id, cancellationToken);
        if (delivery.EndpointId is not null && (await GetAsync(delivery.EndpointId, cancellationToken)).DisabledReason is { } reason)
        {
            throw new ProblemException(ProblemKind.WebhookDisabled, $"The endpoint {endpoint} is disabled ({reason}). PATCH it with {{\"enabled\": true}} first.");
        }

        return await transaction.RunAsync(
            async cancel =>
            {
                transaction.WhenCommitted(signal.Raise);
                await Notices.SendAsync(db, cancel, Notices.Deliveries);
                int changed = await db.Deliveries.Where(row => row.Id == id && row.State != DeliveryState.Pending).ExecuteUpdateAsync(
                    set => set.SetProperty(row => row.State, DeliveryState.Pending)
                        .SetProperty(row => row.AttemptCount, 0)
                        .SetProperty(row => row.DueAt, 0)
                        .SetProperty(row => row.FinishedAt, (DateTimeOffset?)null),
                    cancel);
                return changed == 1
                    ? await DeliveryAsync(endpoint, id, cancel)
                    : throw new ProblemException(ProblemKind.ResourceInUse, $"The delivery {id} is still being tried; GET /v1/webhooks/{endpoint}/deliveries says when next.");
            },
            cancellationToken);
    }

    /// <summary>Whether an id stands for the addresses that jobs name themselves.</summary>
    public static bool IsDefault(string id) => string.Equals(id, Default, StringComparison.Ordinal);

    private static string Join(IReadOnlyList<string> events) => string.Join(' ', events.Distinct(StringComparer.Ordinal));

    private static ProblemException NoEndpoint(string id) => new(ProblemKind.NotFound, $"There is no webhook endpoint {id}.");

    /// <summary>An endpoint that is about to be changed: two changes at once come one after the other, and neither is lost.</summary>
    private async Task<WebhookEndpoint> LockAsync(string id, CancellationToken cancellationToken)
    {
        if (db.Database.IsNpgsql())
        {
            await db.Database.ExecuteSqlAsync($"SELECT 1 FROM webhook_endpoint WHERE id = {id} AND tenant_id = {caller.Tenant} FOR NO KEY UPDATE", cancellationToken);
        }

        return await db.WebhookEndpoints.SingleOrDefaultAsync(row => row.Id == id, cancellationToken) ?? throw NoEndpoint(id);
    }
}
