using Condense.Service.Access;
using Microsoft.EntityFrameworkCore;

namespace Condense.Service.Storage;

/// <summary>Brings the tables up to date at start. Several processes may start at once: on PostgreSQL one of them does it and the others wait.</summary>
internal sealed class Migrator(CondenseDbContext db, IServiceProvider services, TimeProvider clock)
{
    /// <summary>Any number that nobody else takes an advisory lock on.</summary>
    private const long LockId = 72134001;

    /// <summary>Refuses tables that this version does not fit. Newer ones do: while nodes are replaced one by one, old ones go on.</summary>
    /// <exception cref="StartupException">Migrations are missing.</exception>
    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        string[] missing = [.. await db.Database.GetPendingMigrationsAsync(cancellationToken)];
        if (missing.Length > 0)
        {
            throw new StartupException(
                $"The database lacks what this version needs ({string.Join(", ", missing)}), and Storage:Migrate is off. Run `Condense.Service migrate` with the same settings first.");
        }
    }

    /// <summary>Does it.</summary>
    public async Task MigrateAsync(CancellationToken cancellationToken)
    {
        if (services.GetService<SqliteDataSource>() is { } file)
        {
            await file.EnableWriteAheadLogAsync(cancellationToken);
            await ApplyAsync(cancellationToken);
            return;
        }

        await db.Database.OpenConnectionAsync(cancellationToken);
        await db.Database.ExecuteSqlAsync($"SELECT pg_advisory_lock({LockId})", cancellationToken);
        try
        {
            await ApplyAsync(cancellationToken);
        }
        finally
        {
            await db.Database.ExecuteSqlAsync($"SELECT pg_advisory_unlock({LockId})", CancellationToken.None);
            await db.Database.CloseConnectionAsync();
        }
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
