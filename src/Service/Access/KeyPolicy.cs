using Condense.Service.Hosting;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Condense.Service.Access;

/// <summary>
/// Whether requests need a key. On loopback none is needed until one exists; once one does, it stays so for this process, whatever becomes of
/// the key. Where other machines can reach the service, keys are always needed.
/// </summary>
internal sealed class KeyPolicy(IConfiguration configuration, IOptions<AccessOptions> options, TimeProvider clock, ILogger<KeyPolicy> logger)
{
    /// <summary>For so long a first key that another process has made may go unnoticed.</summary>
    private static readonly TimeSpan s_outdated = TimeSpan.FromSeconds(1);

    private readonly bool _isFixed = options.Value.Keys != KeyMode.Auto || ListenAddresses.FirstForeign(configuration) is not null;
    private volatile bool _isAsked = options.Value.Keys == KeyMode.Required || ListenAddresses.FirstForeign(configuration) is not null;
    private long? _lookedAt;

    /// <summary>Whether keys were needed when that was last looked at. Needs no database.</summary>
    public bool AreAskedFor => _isAsked;

    /// <summary>Whether keys are needed now.</summary>
    public async ValueTask<bool> AreAskedForAsync(CondenseDbContext db, CancellationToken cancellationToken)
    {
        long now = clock.GetTimestamp();
        if (_isFixed || _isAsked || (_lookedAt is { } last && clock.GetElapsedTime(last, now) < s_outdated))
        {
            return _isAsked;
        }

        // An expired key counts: its end must not open the door.
        bool exists = await db.ApiKeys.IgnoreQueryFilters().AnyAsync(cancellationToken);
        _lookedAt = now;
        _isAsked |= exists;
        return _isAsked;
    }

    /// <summary>Notices at once that this process has made a key.</summary>
    public void KeyWasMade() => _isAsked |= !_isFixed;

    /// <summary>Before anything is touched: an address that others can reach, and a setting that would let everybody in.</summary>
    /// <exception cref="StartupException">That is so.</exception>
    public void CheckSetting()
    {
        if (options.Value.Keys == KeyMode.Off && ListenAddresses.FirstForeign(configuration) is { } url && Role != ServiceRole.Worker)
        {
            throw new StartupException(
                $"{url} can be reached from other machines, and Access:Keys=off would let everybody in. Leave that setting out, or listen on loopback, for example --urls {ListenAddresses.Default}.");
        }
    }

    /// <summary>
    /// Once the tables are there: keys are needed, and somebody must have one. A worker answers nobody but probes. Keys that have expired since are no
    /// reason to stay away: nobody is let in, and whoever makes another one needs no restart.
    /// </summary>
    /// <exception cref="StartupException">There is no key.</exception>
    public async Task CheckKeysAsync(CondenseDbContext db, CancellationToken cancellationToken)
    {
        if (Role == ServiceRole.Worker || !await AreAskedForAsync(db, cancellationToken))
        {
            return;
        }

        var now = clock.GetUtcNow();
        var ends = await db.ApiKeys.IgnoreQueryFilters().Select(key => key.ExpiresAt).ToListAsync(cancellationToken);
        if (ends.Count == 0)
        {
            string cause = ListenAddresses.FirstForeign(configuration) is { } url ? $"{url} can be reached from other machines" : "Access:Keys=required asks everybody for a key";
            throw new StartupException(
                $"{cause}, and there is no key yet. Make one with the command `keys create --tenant {Tenant.Default} --name first --scopes {Scope.Admin}` and the same settings of Storage, "
                + $"give one with Access:BootstrapKeyFile, or listen on loopback, for example --urls {ListenAddresses.Default}.");
        }

        if (ends.TrueForAll(end => end <= now))
        {
            AccessLog.NoLiveKey(logger);
        }
    }

    private ServiceRole Role => ServiceSetup.RoleOf(configuration);
}
