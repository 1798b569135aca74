using Condense.Service.Jobs;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Condense.Service.Storage;

/// <summary>From time to time removes what has had its time: old answers, old checkpoints, units of ended jobs, bytes that no row names: one node at a time; and this node's folders of ended jobs.</summary>
internal sealed class ExpirySweeper(IServiceScopeFactory scopes, OutageLog outage, IOptions<StorageOptions> options, TimeProvider clock, ILogger<ExpirySweeper> logger) : BackgroundService
{
    /// <summary>How long the first answer to an idempotency key is kept.</summary>
    public static readonly TimeSpan AnswerAge = TimeSpan.FromHours(24);

    /// <summary>How long a finished layer is kept after its last use.</summary>
    public static readonly TimeSpan CheckpointAge = TimeSpan.FromDays(7);

    /// <summary>How long bytes may go without a row that names them: longer than any request or publication takes.</summary>
    public static readonly TimeSpan UnnamedAge = TimeSpan.FromHours(24);

    /// <summary>Any number that nobody else takes an advisory lock on.</summary>
    private const long LockId = 72134002;

    private const int Batch = 500;

    /// <summary>Sweeps once: this node's folders, and what belongs to all unless another node does so just now.</summary>
    /// <returns>Folders, rows and blobs that were removed.</returns>
    public async Task<int> SweepAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<CondenseDbContext>();
        int folders = await scope.ServiceProvider.GetRequiredService<WorkFolders>().RemoveEndedAsync(cancellationToken);
        return folders + (db is SqliteDbContext ? await SweepAsync(db, scope.ServiceProvider, cancellationToken) : await SweepAloneAsync(db, scope.ServiceProvider, cancellationToken));
    }

    private async Task<int> SweepAloneAsync(CondenseDbContext db, IServiceProvider services, CancellationToken cancellationToken)
    {
        // The lock is the connection's: whatever becomes of this process, it is given back.
        await db.Database.OpenConnectionAsync(cancellationToken);
        try
        {
            if (!await db.Database.SqlQuery<bool>($"SELECT pg_try_advisory_lock({LockId}) AS \"Value\"").SingleAsync(cancellationToken))
            {
                return 0;
            }

            int removed = await SweepAsync(db, services, cancellationToken);
            await db.Database.ExecuteSqlAsync($"SELECT pg_advisory_unlock({LockId})", cancellationToken);
            return removed;
        }
        finally
        {
            await db.Database.CloseConnectionAsync();
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Value.SweepInterval, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                int removed = await SweepAsync(stoppingToken);
                if (removed > 0)
                {
                    StorageLog.Swept(logger, removed);
                }
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                // The database is away, or a file can't be removed: the next round comes.
                if (!outage.Takes(exception))
                {
                    StorageLog.NotSwept(logger, exception);
                }
            }
        }
    }

    private async Task<int> SweepAsync(CondenseDbContext db, IServiceProvider services, CancellationToken cancellationToken)
    {
        var transaction = services.GetRequiredService<WriteTransaction>();
        var blobs = services.GetRequiredService<IBlobStore>();
        var now = clock.GetUtcNow();
        int removed = await transaction.RunAsync(
            async cancel =>
                await db.IdempotencyRecords.IgnoreQueryFilters().Where(row => row.CreatedAt < now - AnswerAge).ExecuteDeleteAsync(cancel)
                + await db.Units.IgnoreQueryFilters().Where(unit => !db.Jobs.Where(JobStates.Unfinished).Any(job => job.Id == unit.JobId)).ExecuteDeleteAsync(cancel),
            cancellationToken);
        removed += await RemoveCheckpointsAsync(db, transaction, blobs, now - CheckpointAge, cancellationToken);
        return removed + await blobs.RemoveUnnamedAsync(db, now - UnnamedAge, cancellationToken);
    }

    private static async Task<int> RemoveCheckpointsAsync(
        CondenseDbContext db, WriteTransaction transaction, IBlobStore blobs, DateTimeOffset before, CancellationToken cancellationToken)
    {
        int removed = 0;
        while (true)
        {
            var gone = await transaction.RunAsync(
                async cancel =>
                {
                    var old = await db.Checkpoints.IgnoreQueryFilters().Where(row => row.UsedAt < before).OrderBy(row => row.UsedAt).Take(Batch).ToListAsync(cancel);
                    db.RemoveRange(old);
                    return old;
                },
                cancellationToken);
            foreach (var checkpoint in gone)
            {
                await blobs.RemoveAsync(checkpoint.BlobId, cancellationToken);
            }

            removed += gone.Count;
            if (gone.Count < Batch)
            {
                return removed;
            }
        }
    }
}
