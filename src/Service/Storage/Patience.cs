using Condense.Service.Problems;
using Microsoft.Extensions.Options;

namespace Condense.Service.Storage;

/// <summary>
/// How long this scope of services waits for a database that is away. A worker waits for minutes: it would lose its work. A request waits not at
/// all: its client is told at once to come again.
/// </summary>
internal sealed class Patience(IOptions<StorageOptions> options, TimeProvider clock)
{
    private static readonly TimeSpan s_firstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan s_longestPause = TimeSpan.FromSeconds(2);

    /// <summary>Tries of whoever does not wait: after a restart of the database, the first connections out of the pool are dead.</summary>
    private const int Tries = 3;

    private TimeSpan _limit = options.Value.Patience;

    /// <summary>Whether it waits at all.</summary>
    public bool Waits => _limit > TimeSpan.Zero;

    /// <summary>This scope serves a request.</summary>
    public void DoNotWait() => _limit = TimeSpan.Zero;

    /// <summary>
    /// Reads or writes what must be read or written, beyond all patience: what it is about does not depend on the database. What the database refuses for
    /// another reason than that it is away is thrown.
    /// </summary>
    /// <param name="action">Does it; may run more than once.</param>
    /// <param name="giveUp">Ends it with the next failure.</param>
    public async Task<T> InsistAsync<T>(Func<Task<T>> action, CancellationToken giveUp)
    {
        while (true)
        {
            try
            {
                return await action();
            }
            catch (Exception exception) when (Fault.Of(exception).Kind == ProblemKind.DatabaseUnavailable && !giveUp.IsCancellationRequested)
            {
                await Task.Delay(s_longestPause, clock, giveUp).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>How long to pause before the next try; null when there shall be none.</summary>
    /// <param name="failures">Tries that have failed.</param>
    /// <param name="firstFailure">When the first of them failed, a timestamp of the clock.</param>
    public TimeSpan? NextPause(int failures, long firstFailure)
    {
        if (!Waits)
        {
            return failures < Tries ? TimeSpan.Zero : null;
        }

        var pause = s_firstPause * Math.Pow(2, Math.Min(failures - 1, 10));
        return clock.GetElapsedTime(firstFailure) >= _limit ? null : pause < s_longestPause ? pause : s_longestPause;
    }
}
