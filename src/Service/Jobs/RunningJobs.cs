using System.Collections.Concurrent;

namespace Condense.Service.Jobs;

/// <summary>The jobs that this process works on: none twice at a time, and a request can stop one.</summary>
internal sealed class RunningJobs
{
    private readonly ConcurrentDictionary<string, CancellationTokenSource> _jobs = new(StringComparer.Ordinal);

    /// <summary>Enters a job until <see cref="Leave"/>.</summary>
    /// <param name="id">The job.</param>
    /// <param name="stop">What stops it.</param>
    /// <returns>False when the job is being worked on already.</returns>
    public bool TryEnter(string id, CancellationTokenSource stop) => _jobs.TryAdd(id, stop);

    /// <summary>The work on a job has ended.</summary>
    public void Leave(string id) => _jobs.TryRemove(id, out _);

    /// <summary>Stops a job, if it runs here.</summary>
    public void Stop(string id)
    {
        if (_jobs.TryGetValue(id, out var stop))
        {
            try
            {
                stop.Cancel();
            }
            catch (ObjectDisposedException)
            {
                // It ended by itself between the look and the call.
            }
        }
    }
}
