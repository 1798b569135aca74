using System.Collections.Concurrent;
using Condense.Service.Problems;

namespace Condense.Service.Access;

/// <summary>A body on its way to this node: it counts for its tenant before a row speaks of it, until the row does or the body is given up.</summary>
/// <param name="arriving">Bytes of all such bodies, by tenant.</param>
/// <param name="tenant">The tenant.</param>
/// <param name="room">Bytes that the tenant may store, beyond what it has.</param>
/// <param name="refuse">Makes the refusal.</param>
internal sealed class Arrival(ConcurrentDictionary<string, long> arriving, string tenant, long room, Func<ProblemException> refuse) : IDisposable
{
    private long _bytes;

    /// <summary>Counts bytes that have come or will.</summary>
    /// <exception cref="ProblemException">With all that is under way, there is no room for them: <c>quota_exceeded</c>.</exception>
    public void Add(long bytes)
    {
        _bytes += bytes;
        if (arriving.AddOrUpdate(tenant, bytes, (_, others) => others + bytes) > room)
        {
            throw refuse();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        long bytes = Interlocked.Exchange(ref _bytes, 0);
        arriving.AddOrUpdate(tenant, 0, (_, all) => all - bytes);
    }
}
