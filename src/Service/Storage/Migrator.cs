using Condense.Service.Access;
using Condense.Service.Jobs;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Quartz;

namespace Condense.Service.Storage;

/// <summary>Brings the tables up to date at start. Several processes may start at once: on PostgreSQL one of them does it and the others wait.</summary>
internal sealed class Migrator(CondenseDbContext db, IServiceProvider services, ISchedulerFactory schedulers, TimeProvider clock)
{
    /// <summary>Any number that nobody else takes an advisory lock on.</summary>
    private const long LockId = 72134001;

    /// <summary>Refuses tables that this version does not fit. Newer ones do: while nodes are replaced one by one, old ones go on.</summary>
    /// <exception cref="StartupException">Migrations are missing.</exception>
    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        await WaitAsync(cancellationToken);
        string[] missing = [.. await db.Database.GetPendingMigrationsAsync(cancellationToken)];
        if (missing.Length > 0)
        {
            throw new StartupException(
                $"The database lacks what this version needs ({string.Join(", ", missing)}), and Storage:Migrate is off. Run `Condense.Service migrate` with the same settings first.");
        }
    }

    /// <summary>Does it.</summary>
    /// <exception cref="StartupException">The database is not there, or does not let us.</exception>
    public async Task MigrateAsync(CancellationToken cancellationToken)
    {
        if (services.GetService<SqliteDataSource>() is { } file)
        {
            await file.EnableWriteAheadLogAsync(cancellationToken);
            await ApplyAsync(cancellationToken);
            await MakeQueueAsync(cancellationToken);
            return;
        }

        await WaitAsync(cancellationToken);
        await db.Database.OpenConnectionAsync(cancellationToken);

        // Another node may take minutes over a large table.
        db.Database.SetCommandTimeout(TimeSpan.Zero);
        await db.Database.ExecuteSqlAsync($"SELECT pg_advisory_lock({LockId})", cancellationToken);
        try
        {
            await ApplyAsync(cancellationToken);
            await MakeQueueAsync(cancellationToken);
        }
        catch (PostgresException exception) when (exception.SqlState is PostgresErrorCodes.InsufficientPrivilege)
        {
            throw new StartupException(
                $"The database user may not make the tables: {exception.MessageText}. Grant it CREATE on the schema public, or let its owner start the service once.", exception);
        }
        finally
        {
            await db.Database.ExecuteSqlAsync($"SELECT pg_advisory_unlock({LockId})", CancellationToken.None);
            await db.Database.CloseConnectionAsync();
        }
    }

    private Task WaitAsync(CancellationToken cancellationToken) => services.GetService<DatabaseStart>()?.WaitAsync(cancellationToken) ?? Task.CompletedTask;

    /// <summary>Quartz makes its own tables when the scheduler is made.</summary>
    private async Task MakeQueueAsync(CancellationToken cancellationToken)
    {
        await schedulers.GetScheduler(cancellationToken);
        await db.Database.ExecuteSqlRawAsync(OpenGroups.IndexSql, cancellationToken);
    }

    private async Task ApplyAsync(CancellationToken cancellationToken)
    {
        await db.Database.MigrateAsync(cancellationToken);
        if (!await db.Tenants.AnyAsync(tenant => tenant.Id == Tenant.Default, cancellationToken))
        {
            db.Add(new Tenant { Id = Tenant.Default, CreatedAt = clock.GetUtcNow() });
            await db.SaveChangesAsync(cancellationToken);
            db.ChangeTracker.Clear();
        }
    }
}
