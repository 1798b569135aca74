using Condense.Service.Hosting;
using Microsoft.Extensions.Options;

namespace Condense.Service.Jobs;

/// <summary>
/// Since when the database has answered this process without a break. A lease that ends while nobody can renew it says nothing about its worker: before
/// this process judges leases, the workers have had the time of one lease to renew theirs.
/// </summary>
internal sealed class DatabaseContact(IOptions<WorkerOptions> options, TimeProvider clock)
{
    /// <summary>A shorter silence lets no lease end.</summary>
    private readonly TimeSpan _break = TimeSpan.FromTicks(Math.Max((options.Value.Lease - options.Value.Renewal).Ticks, (2 * Sweeper.Period).Ticks));

    private long? _since;
    private long _last;

    /// <summary>The database has answered the one who judges leases.</summary>
    /// <returns>Whether they may be judged.</returns>
    public bool Answered()
    {
        long now = clock.GetTimestamp();
        _since = _since is null || clock.GetElapsedTime(_last, now) > _break ? now : _since;
        _last = now;
        return clock.GetElapsedTime(_since.Value, now) >= options.Value.Lease;
    }
}
