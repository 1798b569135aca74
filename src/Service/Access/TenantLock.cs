using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;

namespace Condense.Service.Access;

/// <summary>Lets one transaction of a tenant at a time pass from here to its end, on any number of nodes.</summary>
internal static class TenantLock
{
    /// <summary>Takes the lock until the transaction ends. SQLite has one writer at a time as it is.</summary>
    public static async Task TakeAsync(CondenseDbContext db, string tenant, CancellationToken cancellationToken)
    {
        if (db.Database.IsNpgsql())
        {
            await db.Database.ExecuteSqlAsync($"SELECT 1 FROM tenant WHERE id = {tenant} FOR UPDATE", cancellationToken);
        }
    }
}
