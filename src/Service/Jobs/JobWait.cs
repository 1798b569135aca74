using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;

namespace Condense.Service.Jobs;

/// <summary>Waits for a job's end, for clients that would rather wait than ask again.</summary>
internal sealed class JobWait(CondenseDbContext db, JobSignals signals, IHostApplicationLifetime lifetime, TimeProvider clock)
{
    /// <summary>What another process writes is seen after at most this.</summary>
    private static readonly TimeSpan s_poll = TimeSpan.FromSeconds(1);

    /// <summary>Returns when the job has ended, the time is over, or the service stops: whatever comes first.</summary>
    /// <exception cref="OperationCanceledException">The client left.</exception>
    public async Task UntilEndAsync(string id, TimeSpan atMost, CancellationToken cancellationToken)
    {
        long start = clock.GetTimestamp();
        using var listener = signals.Listen(id);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lifetime.ApplicationStopping);
        while (true)
        {
            listener.Reset();
            var state = await db.Jobs.Where(job => job.Id == id).Select(job => (JobState?)job.State).SingleOrDefaultAsync(cancellationToken);
            var left = atMost - clock.GetElapsedTime(start);
            if (state is null || state.Value.IsTerminal() || left <= TimeSpan.Zero)
            {
                return;
            }

            try
            {
                await listener.WaitAsync(left < s_poll ? left : s_poll, clock, end.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                // The service stops: the client gets what there is, and asks another node.
                return;
            }
        }
    }
}
