using System.Collections.Concurrent;

namespace Condense.Service.Jobs;

/// <summary>The attempts of this process: none runs beside an older one of the same job, and a request can stop one.</summary>
internal sealed class RunningJobs
{
    private readonly ConcurrentDictionary<string, AttemptStop> _jobs = new(StringComparer.Ordinal);

    /// <summary>The attempts at this moment.</summary>
    public IReadOnlyCollection<AttemptStop> All => [.. _jobs.Values];

    /// <summary>Enters an attempt until <see cref="Leave"/>. An older one here of the same job has lost it: it is stopped, and waited for.</summary>
    /// <param name="attempt">The attempt.</param>
    public async Task EnterAsync(AttemptStop attempt)
    {
        while (!_jobs.TryAdd(attempt.Claim.Id, attempt))
        {
            if (_jobs.TryGetValue(attempt.Claim.Id, out var older))
            {
                older.Stop(StopReason.LeaseLost);
                await older.Left;
            }
        }
    }

    /// <summary>The attempt has ended.</summary>
    public void Leave(AttemptStop attempt)
    {
        _jobs.TryRemove(KeyValuePair.Create(attempt.Claim.Id, attempt));
        attempt.Leave();
    }

    /// <summary>Stops a job, if it runs here.</summary>
    public void Stop(string id, StopReason reason)
    {
        if (_jobs.TryGetValue(id, out var attempt))
        {
            attempt.Stop(reason);
        }
    }
}
