using Condense.Service.Storage;
using Condense.Service.Telemetry;
using Microsoft.EntityFrameworkCore;

namespace Condense.Service.Webhooks;

/// <summary>Takes one claimed delivery through one attempt.</summary>
internal sealed class WebhookDispatcher(IServiceScopeFactory scopes, WebhookClient client, ServiceMetrics metrics, ILogger<WebhookDispatcher> logger)
{
    /// <summary>Sends, and writes down what came of it.</summary>
    /// <param name="claim">The claimed row.</param>
    /// <param name="now">The moment of the claim, by the database's clock.</param>
    /// <param name="cancellationToken">The process stops: the claim is given back.</param>
    /// <returns>The attempt; null when there was none: the endpoint is disabled or gone, or the process stops.</returns>
    public async Task<DeliveryAttempt?> AttemptAsync(Delivery claim, long now, CancellationToken cancellationToken)
    {
        var at = DateTimeOffset.FromUnixTimeMilliseconds(now);
        var receiver = await ReceiverAsync(claim, at, cancellationToken);
        if (receiver is null)
        {
            await InQueueAsync(queue => queue.DropAsync(claim, now));
            metrics.DeliveryEnded(DeliveryState.Dropped);
            return null;
        }

        DeliveryAttempt attempt;
        try
        {
            attempt = await client.SendAsync(receiver.Url, receiver.Secrets, claim, at, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await InQueueAsync(queue => queue.ReleaseAsync(claim));
            return null;
        }
        catch (Exception exception)
        {
            // Our fault, and counted all the same: a message that can't be sent must not be claimed for ever.
            WebhookLog.AttemptBroken(logger, exception, claim.Id);
            attempt = new DeliveryAttempt { At = at, Milliseconds = 0, Error = "Something went wrong here, not at the receiver; the service's log has the details." };
        }

        string? state = await InQueueAsync(queue => queue.EndAttemptAsync(claim, attempt, now + attempt.Milliseconds));
        metrics.DeliveryEnded(state is null or DeliveryState.Pending ? ServiceMetrics.Retried : state);
        if (!attempt.Succeeded)
        {
            // Neither the address nor what was answered: both may hold secrets.
            WebhookLog.AttemptFailed(logger, claim.Id, claim.AttemptCount + 1, attempt.Status, state ?? "lost");
        }

        return attempt;
    }

    /// <summary>Where a delivery goes and what signs it, as of now and not as of the event; null when it goes nowhere any more.</summary>
    private async Task<Receiver?> ReceiverAsync(Delivery claim, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<CondenseDbContext>();
        if (claim.EndpointId is { } id)
        {
            var endpoint = await db.WebhookEndpoints.IgnoreQueryFilters().AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken);
            return endpoint is null || (endpoint.DisabledReason is not null && !claim.IsTest)
                ? null
                : new Receiver(endpoint.Url, Secrets(endpoint.Secret, endpoint.PreviousSecret, endpoint.PreviousSecretUntil, now));
        }

        var register = scope.ServiceProvider.GetRequiredService<WebhookRegister>();
        var tenant = await register.TenantWithSecretAsync(claim.TenantId, cancellationToken);
        return new Receiver(claim.Url!, Secrets(tenant.WebhookSecret!, tenant.PreviousWebhookSecret, tenant.PreviousWebhookSecretUntil, now));
    }

    private static string[] Secrets(string secret, string? previous, DateTimeOffset? until, DateTimeOffset now) =>
        previous is not null && now < until ? [secret, previous] : [secret];

    private async Task<T> InQueueAsync<T>(Func<DeliveryQueue, Task<T>> work)
    {
        await using var scope = scopes.CreateAsyncScope();
        return await work(scope.ServiceProvider.GetRequiredService<DeliveryQueue>());
    }

    private sealed record Receiver(string Url, IReadOnlyList<string> Secrets);
}
