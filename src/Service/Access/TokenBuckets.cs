using System.Collections.Concurrent;

namespace Condense.Service.Access;

/// <summary>
/// A bucket of tokens per client that fills steadily: so many requests a minute, all at once if need be. Of each bucket only the moment is kept
/// when it will be full again; a client whose bucket is full is forgotten.
/// </summary>
internal sealed class TokenBuckets(int perMinute, TimeProvider clock)
{
    private static readonly TimeSpan s_window = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, TimeSpan> _fullAt = new(StringComparer.Ordinal);
    private readonly TimeSpan _perToken = s_window / perMinute;
    private readonly long _start = clock.GetTimestamp();
    private long _nextSweep = s_window.Ticks;

    /// <summary>The tokens of a full bucket.</summary>
    public int Capacity => perMinute;

    /// <summary>Seconds in which an empty bucket fills.</summary>
    public static int WindowSeconds => (int)s_window.TotalSeconds;

    /// <summary>Takes a token, if there is one.</summary>
    public Tokens Take(string client)
    {
        var now = clock.GetElapsedTime(_start);
        Sweep(now);
        while (true)
        {
            bool known = _fullAt.TryGetValue(client, out var before);
            var after = (before > now ? before : now) + _perToken;
            if (after - now > s_window)
            {
                return new Tokens(false, 0, before - now, after - now - s_window);
            }

            if (known ? _fullAt.TryUpdate(client, after, before) : _fullAt.TryAdd(client, after))
            {
                return new Tokens(true, (int)((s_window - (after - now)) / _perToken), after - now, TimeSpan.Zero);
            }
        }
    }

    /// <summary>How many clients are remembered.</summary>
    public int Clients => _fullAt.Count;

    private void Sweep(TimeSpan now)
    {
        long due = Volatile.Read(ref _nextSweep);
        if (now.Ticks < due || Interlocked.CompareExchange(ref _nextSweep, now.Ticks + s_window.Ticks, due) != due)
        {
            return;
        }

        foreach (var pair in _fullAt.Where(pair => pair.Value <= now))
        {
            _fullAt.TryRemove(pair);
        }
    }
}

/// <summary>What a bucket answered.</summary>
/// <param name="Granted">Whether the request may pass.</param>
/// <param name="Remaining">Tokens that are left.</param>
/// <param name="UntilFull">When all of them are back.</param>
/// <param name="UntilNext">When the next one is there; of a request that may not pass.</param>
internal readonly record struct Tokens(bool Granted, int Remaining, TimeSpan UntilFull, TimeSpan UntilNext);
