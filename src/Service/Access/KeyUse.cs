using System.Collections.Concurrent;

namespace Condense.Service.Access;

/// <summary>Which keys this process has lately seen used. It holds digests of valid keys only.</summary>
internal sealed class KeyUse(TimeProvider clock)
{
    private static readonly TimeSpan s_noted = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, long> _lastNoted = new(StringComparer.Ordinal);

    /// <summary>Whether the use of a valid key is to be written down again. Of many requests at once one is told so.</summary>
    public bool IsDue(string digest)
    {
        long now = clock.GetTimestamp();
        if (!_lastNoted.TryGetValue(digest, out long last))
        {
            return _lastNoted.TryAdd(digest, now);
        }

        return clock.GetElapsedTime(last, now) >= s_noted && _lastNoted.TryUpdate(digest, now, last);
    }
}
