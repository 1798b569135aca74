using Condense.Service.Access;
using Condense.Service.Hosting;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Condense.Service.Idempotency;

/// <summary>Claims keys and gives them back. The database's clock decides how long a claim holds.</summary>
internal sealed class IdempotencyKeys(CondenseDbContext db, WriteTransaction transaction, Caller caller, IOptions<LimitsOptions> limits, TimeProvider clock)
{
    /// <summary>How long an answer is kept.</summary>
    public static readonly TimeSpan Kept = TimeSpan.FromHours(24);

    /// <summary>Claims a key, or finds who has it.</summary>
    /// <returns>When it was claimed, and nothing; or the row of the request that came first.</returns>
    public async Task<(DateTimeOffset ClaimedAt, IdempotencyRecord? First)> ClaimAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            return await transaction.RunAsync(cancel => TryClaimAsync(key, cancel), cancellationToken);
        }
        catch (DbUpdateException exception) when (exception.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
        {
            // Another node was faster between the look and the insertion. If it has given up since, the client asks again.
            var first = await db.IdempotencyRecords.AsNoTracking().SingleOrDefaultAsync(row => row.Key == key, cancellationToken);
            return (default, first ?? New(key, clock.GetUtcNow()));
        }
    }

    /// <summary>Shows that a claim is alive.</summary>
    public Task RenewAsync(string key, DateTimeOffset claimedAt, CancellationToken cancellationToken) =>
        transaction.RunAsync(
            cancel =>
            {
                long lease = (long)limits.Value.IdempotencyLease.TotalMilliseconds;
                return db.IdempotencyRecords
                    .Where(row => row.Key == key && row.CreatedAt == claimedAt && row.Status == null)
                    .ExecuteUpdateAsync(set => set.SetProperty(row => row.RunningUntil, _ => DatabaseClock.Milliseconds() + lease), cancel);
            },
            cancellationToken);

    /// <summary>Gives a key back: the request has made nothing, and may be sent again.</summary>
    public Task ReleaseAsync(string key, DateTimeOffset claimedAt) =>
        transaction.RunAsync(
            cancel => db.IdempotencyRecords.Where(row => row.Key == key && row.CreatedAt == claimedAt && row.Status == null).ExecuteDeleteAsync(cancel),
            CancellationToken.None);

    private async Task<(DateTimeOffset ClaimedAt, IdempotencyRecord? First)> TryClaimAsync(string key, CancellationToken cancellationToken)
    {
        // As exact as every database keeps it: claims are told apart by it.
        var now = DateTimeOffset.FromUnixTimeMilliseconds(clock.GetUtcNow().ToUnixTimeMilliseconds());
        long databaseNow = await NowAsync(cancellationToken);
        long until = databaseNow + (long)limits.Value.IdempotencyLease.TotalMilliseconds;
        var first = await db.IdempotencyRecords.AsNoTracking().SingleOrDefaultAsync(row => row.Key == key, cancellationToken);
        if (first is null)
        {
            var record = New(key, now);
            record.RunningUntil = until;
            db.Add(record);
            return (now, null);
        }

        bool isOver = first.Status is null ? first.RunningUntil < databaseNow : first.CreatedAt + Kept < now;
        if (!isOver)
        {
            return (default, first);
        }

        // The same moment would be the same claim.
        var claimedAt = now > first.CreatedAt ? now : first.CreatedAt.AddMilliseconds(1);
        int taken = await db.IdempotencyRecords
            .Where(row => row.Key == key && row.CreatedAt == first.CreatedAt && row.RunningUntil == first.RunningUntil)
            .ExecuteUpdateAsync(
                set => set.SetProperty(row => row.CreatedAt, claimedAt)
                    .SetProperty(row => row.RunningUntil, until)
                    .SetProperty(row => row.Status, (int?)null)
                    .SetProperty(row => row.HeadersJson, (string?)null)
                    .SetProperty(row => row.Body, (string?)null),
                cancellationToken);
        return taken == 1 ? (claimedAt, null) : (default, New(key, now));
    }

    private IdempotencyRecord New(string key, DateTimeOffset now) => new() { TenantId = caller.Tenant, Key = key, RequestSha256 = "", CreatedAt = now };

    private Task<long> NowAsync(CancellationToken cancellationToken) =>
        db.Database.SqlQueryRaw<long>(db.Database.IsNpgsql() ? $"SELECT {DatabaseClock.Postgres} AS \"Value\"" : $"SELECT {DatabaseClock.Sqlite} AS \"Value\"")
            .SingleAsync(cancellationToken);
}
