using System.Text.Json;
using Condense.Service.Hosting;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;

namespace Condense.Service.Webhooks;

/// <summary>
/// The outbox as senders see it. A delivery that is claimed is due again when the claim runs out: what a dead sender had is sent by another.
/// That moment is also the proof of the claim; whoever has lost it writes nothing. Moments are milliseconds by the database's clock.
/// </summary>
internal sealed class DeliveryQueue(CondenseDbContext db, WriteTransaction transaction, TimeProvider clock)
{
    /// <summary>Why an endpoint is disabled: its receiver answered 410.</summary>
    public const string Gone = "gone";

    /// <summary>Why an endpoint is disabled: days of nothing but failures.</summary>
    public const string Failing = "failing";

    /// <summary>Why an endpoint is disabled: somebody said so.</summary>
    public const string Manual = "manual";

    /// <summary>Due deliveries of each tenant that one claim looks at.</summary>
    private const int Scan = 1000;

    /// <summary>Attempts that a delivery remembers: replays add to them.</summary>
    private const int Remembered = 50;

    /// <summary>The database's clock.</summary>
    public async Task<long> NowAsync(CancellationToken cancellationToken) =>
        db.Database.IsNpgsql()
            ? (await db.Database.SqlQueryRaw<long>($"SELECT {DatabaseClock.Postgres}").ToListAsync(cancellationToken))[0]
            : clock.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Claims due deliveries: of the tenant with the fewest attempts first, and of each tenant the longest due first.</summary>
    /// <param name="now">The moment.</param>
    /// <param name="until">When the claim runs out.</param>
    /// <param name="running">Deliveries that are being tried here.</param>
    /// <param name="perReceiver">The most attempts at one receiver, those that run included.</param>
    /// <param name="limit">The most of all.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<List<Delivery>> ClaimAsync(
        long now, long until, IReadOnlyCollection<Delivery> running, int perReceiver, int limit, CancellationToken cancellationToken)
    {
        // Nothing due is the rule; it costs a look at an index and no transaction.
        if (!await db.Deliveries.IgnoreQueryFilters().AnyAsync(row => row.State == DeliveryState.Pending && row.DueAt <= now, cancellationToken))
        {
            return [];
        }

        string receivers = Count(running, ReceiverOf);
        string tenants = Count(running, delivery => delivery.TenantId);
        return await transaction.RunAsync(
            cancel => Claim(now, until, receivers, tenants, perReceiver, limit).IgnoreQueryFilters().AsNoTracking().ToListAsync(cancel), cancellationToken);
    }

    /// <summary>The receiver of a delivery, as far as one may keep others waiting: its endpoint, or the host and port of its address.</summary>
    public static string ReceiverOf(Delivery delivery) => delivery.EndpointId ?? delivery.Url!.Split('/')[2];

    /// <summary>Writes down how an attempt ended, and what follows from it for the delivery and its endpoint.</summary>
    /// <param name="claim">The claimed row.</param>
    /// <param name="attempt">The attempt.</param>
    /// <param name="now">The moment.</param>
    /// <returns>The delivery's state; null when the claim had been lost, and nothing was written.</returns>
    public Task<string?> EndAttemptAsync(Delivery claim, DeliveryAttempt attempt, long now) =>
        transaction.RunAsync(
            async cancel =>
            {
                // A test is one attempt; the receiver that is gone stays gone.
                var wait = attempt.Succeeded || attempt.IsGone || claim.IsTest ? null : DeliverySchedule.After(claim.Id, claim.AttemptCount + 1, attempt.RetryAfter);
                string state = attempt.Succeeded ? DeliveryState.Succeeded : wait is null ? DeliveryState.Failed : DeliveryState.Pending;
                var at = DateTimeOffset.FromUnixTimeMilliseconds(now);
                DateTimeOffset? finished = wait is null ? at : null;
                long due = now + (long)(wait ?? TimeSpan.Zero).TotalMilliseconds;
                string attempts = Append(claim.AttemptsJson, attempt);
                int changed = await Mine(claim).ExecuteUpdateAsync(
                    set => set.SetProperty(row => row.State, state)
                        .SetProperty(row => row.AttemptCount, row => row.AttemptCount + 1)
                        .SetProperty(row => row.AttemptsJson, attempts)
                        .SetProperty(row => row.DueAt, due)
                        .SetProperty(row => row.FinishedAt, finished),
                    cancel);
                if (changed == 0)
                {
                    return null;
                }

                if (claim.EndpointId is { } endpoint && !claim.IsTest)
                {
                    await JudgeAsync(endpoint, attempt, at, cancel);
                }

                return state;
            },
            CancellationToken.None);

    /// <summary>Ends a delivery whose endpoint is disabled.</summary>
    public Task<int> DropAsync(Delivery claim, long now)
    {
        var at = DateTimeOffset.FromUnixTimeMilliseconds(now);
        return transaction.RunAsync(
            cancel => Mine(claim).ExecuteUpdateAsync(set => set.SetProperty(row => row.State, DeliveryState.Dropped).SetProperty(row => row.FinishedAt, at), cancel),
            CancellationToken.None);
    }

    /// <summary>Gives a claim back: the attempt was cut short from this side and does not count.</summary>
    public Task<int> ReleaseAsync(Delivery claim) =>
        transaction.RunAsync(cancel => Mine(claim).ExecuteUpdateAsync(set => set.SetProperty(row => row.DueAt, 0), cancel), CancellationToken.None);

    /// <summary>Removes what has been finished for long enough.</summary>
    public Task<int> ForgetAsync(DateTimeOffset before, CancellationToken cancellationToken) =>
        transaction.RunAsync(
            cancel => db.Deliveries.IgnoreQueryFilters().Where(row => row.State != DeliveryState.Pending && row.FinishedAt < before).ExecuteDeleteAsync(cancel), cancellationToken);

    private static string Count(IReadOnlyCollection<Delivery> running, Func<Delivery, string> key) =>
        JsonSerializer.Serialize(running.CountBy(key, StringComparer.Ordinal).ToDictionary(StringComparer.Ordinal));

    private static string Append(string attempts, DeliveryAttempt attempt)
    {
        var all = JsonSerializer.Deserialize<List<DeliveryAttempt>>(attempts, ApiJson.Options)!;
        all.Add(attempt);
        return JsonSerializer.Serialize(all.TakeLast(Remembered), ApiJson.Options);
    }

    /// <summary>The delivery, as long as the claim holds.</summary>
    private IQueryable<Delivery> Mine(Delivery claim) =>
        db.Deliveries.IgnoreQueryFilters().Where(row => row.Id == claim.Id && row.State == DeliveryState.Pending && row.DueAt == claim.DueAt);

    private async Task JudgeAsync(string id, DeliveryAttempt attempt, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var endpoint = db.WebhookEndpoints.IgnoreQueryFilters().Where(row => row.Id == id);
        if (attempt.Succeeded)
        {
            await endpoint.Where(row => row.FailingSince != null).ExecuteUpdateAsync(set => set.SetProperty(row => row.FailingSince, (DateTimeOffset?)null), cancellationToken);
            return;
        }

        await endpoint.Where(row => row.FailingSince == null).ExecuteUpdateAsync(set => set.SetProperty(row => row.FailingSince, now), cancellationToken);
        var enabled = endpoint.Where(row => row.DisabledReason == null);
        if (attempt.IsGone)
        {
            await enabled.ExecuteUpdateAsync(set => set.SetProperty(row => row.DisabledReason, Gone), cancellationToken);
            return;
        }

        var since = now - DeliverySchedule.Patience;
        await enabled.Where(row => row.FailingSince <= since).ExecuteUpdateAsync(set => set.SetProperty(row => row.DisabledReason, Failing), cancellationToken);
    }

    /// <summary>
    /// One statement: what is due of receivers that have room, of each at most as much as there is room. Tenants take turns, so one with thousands
    /// of messages, or with receivers that hang, keeps no other waiting. On PostgreSQL senders pass over the rows that another one is just claiming,
    /// and the conditions are judged once more when a row is locked.
    /// </summary>
    private IQueryable<Delivery> Claim(long now, long until, string receivers, string tenants, int perReceiver, int limit) =>
        db.Database.IsNpgsql()
            ? db.Deliveries.FromSql(
                $"""
                 WITH due AS (
                   SELECT own.* FROM tenant CROSS JOIN LATERAL (
                     SELECT id, due_at, tenant_id, receiver, coalesce(({receivers}::jsonb ->> receiver)::int, 0) AS running FROM (
                       SELECT id, due_at, tenant_id, coalesce(endpoint_id, split_part(url, '/', 3)) AS receiver
                       FROM delivery WHERE tenant_id = tenant.id AND state = 'pending' AND due_at <= {now}) AS waiting
                     WHERE coalesce(({receivers}::jsonb ->> receiver)::int, 0) < {perReceiver}
                     ORDER BY due_at, id LIMIT {Scan}) AS own),
                 turns AS (
                   SELECT id, due_at, receiver, running,
                     coalesce(({tenants}::jsonb ->> tenant_id)::int, 0) + row_number() OVER (PARTITION BY tenant_id ORDER BY due_at, id) AS turn FROM due),
                 ranked AS (SELECT id, turn, running + row_number() OVER (PARTITION BY receiver ORDER BY turn, due_at, id) AS place FROM turns),
                 taken AS MATERIALIZED (
                   SELECT delivery.id FROM delivery JOIN ranked ON ranked.id = delivery.id
                   WHERE place <= {perReceiver} AND state = 'pending' AND due_at <= {now}
                   ORDER BY turn, due_at, delivery.id LIMIT {limit} FOR UPDATE OF delivery SKIP LOCKED)
                 UPDATE delivery SET due_at = {until} FROM taken WHERE delivery.id = taken.id RETURNING delivery.*
                 """)
            : db.Deliveries.FromSql(
                $"""
                 WITH waiting AS NOT MATERIALIZED (
                   SELECT id, due_at, tenant_id, receiver, coalesce((SELECT value FROM json_each({receivers}) WHERE key = receiver), 0) AS running FROM (
                     SELECT id, due_at, tenant_id, coalesce(endpoint_id, substr(rest, 1, instr(rest || '/', '/') - 1)) AS receiver FROM (
                       SELECT id, due_at, tenant_id, endpoint_id, substr(url, instr(url, '//') + 2) AS rest FROM delivery WHERE state = 'pending' AND due_at <= {now}))
                   WHERE running < {perReceiver}),
                 due AS (
                   SELECT waiting.* FROM tenant JOIN waiting ON waiting.id IN (
                     SELECT own.id FROM waiting AS own WHERE own.tenant_id = tenant.id ORDER BY own.due_at, own.id LIMIT {Scan})),
                 turns AS (
                   SELECT id, due_at, receiver, running,
                     coalesce((SELECT value FROM json_each({tenants}) WHERE key = tenant_id), 0) + row_number() OVER (PARTITION BY tenant_id ORDER BY due_at, id) AS turn FROM due),
                 ranked AS (SELECT id, due_at, turn, running + row_number() OVER (PARTITION BY receiver ORDER BY turn, due_at, id) AS place FROM turns)
                 UPDATE delivery SET due_at = {until} WHERE id IN (
                   SELECT id FROM ranked WHERE place <= {perReceiver} ORDER BY turn, due_at, id LIMIT {limit})
                 RETURNING *
                 """);
}
