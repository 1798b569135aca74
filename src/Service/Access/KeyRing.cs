using Condense.Service.Problems;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;

namespace Condense.Service.Access;

/// <summary>Makes keys, finds them, and takes them away.</summary>
internal sealed class KeyRing(CondenseDbContext db, WriteTransaction transaction, KeyUse use, IdSource ids, TimeProvider clock, ILogger<KeyRing> logger)
{
    /// <summary>The longest life of a key that has an end.</summary>
    public static readonly TimeSpan MaxLife = TimeSpan.FromDays(5 * 365);

    /// <summary>The key of that text; null when there is none. No other reader of this table knows whose it is before it has asked here.</summary>
    public Task<ApiKey?> FindAsync(string digest, CancellationToken cancellationToken) =>
        db.ApiKeys.IgnoreQueryFilters().AsNoTracking().SingleOrDefaultAsync(key => key.Sha256 == digest, cancellationToken);

    /// <summary>Makes a key.</summary>
    /// <param name="tenant">Whose it is; made, too, when it is not there.</param>
    /// <param name="name">What people call it.</param>
    /// <param name="scopes">What it may do.</param>
    /// <param name="expiresAt">From when on it is refused; null for never.</param>
    /// <param name="cancellationToken">Gives up; nothing is stored.</param>
    /// <returns>The row, and the text, which is known here for the last time.</returns>
    public Task<(ApiKey Key, string Text)> CreateAsync(
        string tenant, string name, IReadOnlyList<string> scopes, DateTimeOffset? expiresAt, CancellationToken cancellationToken)
    {
        string text = KeyText.Create();
        return transaction.RunAsync(
            async cancel => (await AddAsync(tenant, name, scopes, expiresAt, text, cancel), text),
            cancellationToken);
    }

    /// <summary>
    /// Makes a key of the configured text the first admin key of a tenant that never had one. An expired one counts: else a first key that was
    /// revoked long ago, and still stands in the configuration, would come back with the next start after the end of the others.
    /// </summary>
    /// <returns>False when there was one already.</returns>
    public Task<bool> BootstrapAsync(string tenant, string text, CancellationToken cancellationToken) =>
        transaction.RunAsync(
            async cancel =>
            {
                await TenantLock.TakeAsync(db, tenant, cancel);
                if ((await AdminsAsync(tenant, cancel)).Count > 0)
                {
                    return false;
                }

                await AddAsync(tenant, "bootstrap", [Scope.Admin], null, text, cancel);
                return true;
            },
            cancellationToken);

    /// <summary>Revokes a key of the caller's tenant; from then on no node takes it any more.</summary>
    /// <param name="id">The key.</param>
    /// <param name="check">Looks at the key as it is; what it throws keeps it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ProblemException">There is none, or it is the tenant's last admin key.</exception>
    public async Task RevokeAsync(string id, Action<ApiKey> check, CancellationToken cancellationToken)
    {
        string tenant = await transaction.RunAsync(
            async cancel =>
            {
                var key = await GetAsync(id, cancel);
                check(key);

                // Two admins that revoke each other's key at once: the second one waits, and is told.
                await TenantLock.TakeAsync(db, key.TenantId, cancel);
                if (IsLiveAdmin(key) && (await AdminsAsync(key.TenantId, cancel)).Count(IsLiveAdmin) == 1)
                {
                    throw new ProblemException(
                        ProblemKind.ResourceInUse with { Retryable = false },
                        $"{id} is the last admin key of its tenant: without it nobody could make another. Make one first; the command `keys revoke {id}` of the service takes this one all the same.");
                }

                await db.ApiKeys.Where(row => row.Id == id).ExecuteDeleteAsync(cancel);
                return key.TenantId;
            },
            cancellationToken);
        AccessLog.Revoked(logger, id, tenant);
    }

    /// <summary>Revokes a key of any tenant, the last admin key too: for the command line.</summary>
    /// <returns>False when there is none.</returns>
    public Task<bool> RevokeAnyAsync(string id, CancellationToken cancellationToken) =>
        transaction.RunAsync(async cancel => await db.ApiKeys.IgnoreQueryFilters().Where(row => row.Id == id).ExecuteDeleteAsync(cancel) > 0, cancellationToken);

    /// <summary>The key of that id, if it is the caller's tenant's.</summary>
    /// <exception cref="ProblemException">There is none: <c>not_found</c>.</exception>
    public async Task<ApiKey> GetAsync(string id, CancellationToken cancellationToken) =>
        await db.ApiKeys.AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken)
            ?? throw new ProblemException(ProblemKind.NotFound, $"There is no key {id}.");

    /// <summary>Notes that a key was used: at most once a minute, whatever the number of requests.</summary>
    public async Task NoteUseAsync(ApiKey key, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        if (use.IsDue(key.Sha256))
        {
            await transaction.RunAsync(
                cancel => db.ApiKeys.IgnoreQueryFilters().Where(row => row.Id == key.Id).ExecuteUpdateAsync(set => set.SetProperty(row => row.LastUsedAt, now), cancel),
                cancellationToken);
        }
    }

    private async Task<ApiKey> AddAsync(
        string tenant, string name, IReadOnlyList<string> scopes, DateTimeOffset? expiresAt, string text, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        if (!await db.Tenants.AnyAsync(row => row.Id == tenant, cancellationToken))
        {
            db.Add(new Tenant { Id = tenant, CreatedAt = now });
        }

        var key = new ApiKey
        {
            Id = ids.Next("key_"),
            TenantId = tenant,
            Name = name,
            Prefix = KeyText.Prefix(text),
            Sha256 = KeyText.Digest(text),
            Scopes = string.Join(' ', Scope.All.Where(scopes.Contains)),
            CreatedAt = now,
            ExpiresAt = expiresAt?.ToUniversalTime(),
        };
        db.Add(key);
        await db.SaveChangesAsync(cancellationToken);
        transaction.WhenCommitted(() => AccessLog.Made(logger, key.Id, key.Prefix, key.TenantId, key.Scopes));
        return key;
    }

    /// <summary>The admin keys of a tenant, expired ones too.</summary>
    private async Task<List<ApiKey>> AdminsAsync(string tenant, CancellationToken cancellationToken)
    {
        var keys = await db.ApiKeys.IgnoreQueryFilters().AsNoTracking().Where(row => row.TenantId == tenant).ToListAsync(cancellationToken);
        return keys.FindAll(key => key.Holds(Scope.Admin));
    }

    private bool IsLiveAdmin(ApiKey key) => key.Holds(Scope.Admin) && !key.HasExpired(clock.GetUtcNow());
}
