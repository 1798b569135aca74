using Condense.Service.Access;
using Condense.Service.Hosting;
using Condense.Service.Problems;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Condense.Service.Jobs;

/// <summary>Waits for a job's end, for clients that would rather wait than ask again.</summary>
internal sealed class JobWait(
    CondenseDbContext db, JobSignals signals, OpenWaits waits, Caller caller, IOptions<LimitsOptions> limits, IHostApplicationLifetime lifetime, TimeProvider clock)
{
    /// <summary>How long the client would wait; null without a wish. Asked for before anything is done: whoever may not wait has changed nothing.</summary>
    /// <exception cref="ProblemException">The client waits too often already: <c>rate_limited</c>.</exception>
    public TimeSpan? Take(HttpContext http)
    {
        var patience = Preference.TakeWait(http, limits.Value.LongestWait);
        if (patience > TimeSpan.Zero)
        {
            waits.Enter(http, caller);
        }

        return patience;
    }

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
                await listener.WaitAsync(left < signals.Poll ? left : signals.Poll, clock, end.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                // The service stops: the client gets what there is, and asks another node.
                return;
            }
        }
    }
}
