using System.Collections.Concurrent;

namespace Condense.Service.Access;

/// <summary>Which keys this process has lately seen used. It holds no more digests than there are keys.</summary>
internal sealed class KeyUse(TimeProvider clock)
{
    private static readonly TimeSpan s_noted = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, long> _lastNoted = new(StringComparer.Ordinal);

    /// <summary>Whether a key of this digest was valid here before.</summary>
    public bool IsKnown(string digest) => _lastNoted.ContainsKey(digest);

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

    /// <summary>Forgets a digest that is no key's any more.</summary>
    public void Forget(string digest) => _lastNoted.TryRemove(digest, out _);
}
