using System.Text.Json;
using Condense.Service.Hosting;
using Condense.Service.Jobs;
using Condense.Service.Library;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;

namespace Condense.Service.Webhooks;

/// <summary>
/// Writes deliveries in the transaction of the event that they tell of: either both are there or neither. The senders are woken when it is
/// committed.
/// </summary>
internal sealed class Outbox(CondenseDbContext db, WriteTransaction transaction, DeliverySignal signal, IdSource ids)
{
    /// <summary>Tells of an event of a job. Called from within the transaction that adds the event.</summary>
    public async Task AddAsync(Job job, JobEvent item, CancellationToken cancellationToken)
    {
        if (!WebhookEvent.OfJobs.Contains(item.Type, StringComparer.Ordinal))
        {
            return;
        }

        var choice = JsonSerializer.Deserialize<JobRequest>(job.RequestJson, ApiJson.Options)!.Webhook;
        bool isChosen = choice?.Wants(item.Type) == true;
        string? url = isChosen ? choice!.Url : null;
        string? chosen = isChosen ? choice!.Endpoint : null;
        var endpoints = await EndpointsAsync(job.TenantId, cancellationToken);
        endpoints.RemoveAll(endpoint => !endpoint.Wants(item.Type) && !string.Equals(endpoint.Id, chosen, StringComparison.Ordinal));
        if (endpoints.Count == 0 && url is null)
        {
            return;
        }

        string body = WebhookNotification.Of(job, item);
        foreach (var endpoint in endpoints)
        {
            Add(job.TenantId, endpoint.Id, null, item.Type, body, item.At, job.TraceParent);
        }

        if (url is not null)
        {
            Add(job.TenantId, null, url, item.Type, body, item.At, job.TraceParent);
        }

        await WakeAsync(cancellationToken);
    }

    /// <summary>Tells what became of an uploaded model. Called from within the transaction that says so.</summary>
    public async Task AddAsync(StoredModel model, ModelState state, DateTimeOffset at, CancellationToken cancellationToken)
    {
        string type = state == ModelState.Ready ? WebhookEvent.ModelReady : WebhookEvent.ModelRejected;
        var endpoints = await EndpointsAsync(model.TenantId, cancellationToken);
        endpoints.RemoveAll(endpoint => !endpoint.Wants(type));
        if (endpoints.Count == 0)
        {
            return;
        }

        string body = WebhookNotification.Of(model, state, at);
        foreach (var endpoint in endpoints)
        {
            Add(model.TenantId, endpoint.Id, null, type, body, at, null);
        }

        await WakeAsync(cancellationToken);
    }

    /// <summary>Wakes the senders of this process and of the others when the transaction is committed.</summary>
    private Task WakeAsync(CancellationToken cancellationToken)
    {
        transaction.WhenCommitted(signal.Raise);
        return Notices.SendAsync(db, cancellationToken, Notices.Deliveries);
    }

    /// <summary>The enabled endpoints of a tenant. On PostgreSQL they are kept from being deleted until the deliveries that refer to them are written.</summary>
    private Task<List<WebhookEndpoint>> EndpointsAsync(string tenantId, CancellationToken cancellationToken)
    {
        var rows = db.Database.IsNpgsql()
            ? db.WebhookEndpoints.FromSql($"SELECT * FROM webhook_endpoint WHERE tenant_id = {tenantId} AND disabled_reason IS NULL ORDER BY id FOR KEY SHARE")
            : db.WebhookEndpoints.FromSql($"SELECT * FROM webhook_endpoint WHERE tenant_id = {tenantId} AND disabled_reason IS NULL ORDER BY id");
        return rows.IgnoreQueryFilters().AsNoTracking().ToListAsync(cancellationToken);
    }

    private void Add(string tenantId, string? endpointId, string? url, string type, string body, DateTimeOffset at, string? traceParent) =>
        db.Add(new Delivery
        {
            Id = ids.Next("dlv_"),
            TenantId = tenantId,
            EndpointId = endpointId,
            Url = url,
            Type = type,
            Payload = body,
            TraceParent = traceParent,
            State = DeliveryState.Pending,

            // Due by every clock.
            DueAt = 0,
            CreatedAt = at,
        });
}
