using Condense.Service.Hosting;
using Condense.Service.Storage;
using Microsoft.Extensions.Options;

namespace Condense.Service.Jobs;

/// <summary>
/// Keeps the leases of this process's attempts alive, all in one statement, and stops the attempts that have lost theirs, or were canceled. While the
/// database is away the attempts go on: whether a job is still theirs shows when it is back, and until then they can write nothing.
/// </summary>
internal sealed partial class LeaseKeeper(
    IServiceScopeFactory scopes, RunningJobs running, Node node, OutageLog outage, IOptions<WorkerOptions> options, TimeProvider clock, ILogger<LeaseKeeper> logger) : BackgroundService
{
    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        // A job that finishes its layer while the process ends still needs its lease.
        await Task.WhenAll(running.All.Select(attempt => attempt.Left)).WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await base.StopAsync(cancellationToken);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Value.Renewal, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            var attempts = running.All;
            if (attempts.Count > 0)
            {
                await KeepAsync(attempts, stoppingToken);
            }
        }
    }

    private async Task KeepAsync(IReadOnlyCollection<AttemptStop> attempts, CancellationToken cancellationToken)
    {
        try
        {
            using var atMost = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            atMost.CancelAfter(options.Value.Lease);
            await using var scope = scopes.CreateAsyncScope();
            var held = await scope.ServiceProvider.GetRequiredService<JobLedger>().RenewAsync(node.Name, [.. attempts.Select(attempt => attempt.Claim.Id)], atMost.Token);
            foreach (var attempt in attempts)
            {
                Judge(attempt, held);
            }
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            if (!outage.Takes(exception))
            {
                LogMissed(logger, exception);
            }
        }
    }

    private static void Judge(AttemptStop attempt, IReadOnlyDictionary<string, (int Token, JobState State)> held)
    {
        if (!held.TryGetValue(attempt.Claim.Id, out var row) || row.Token != attempt.Claim.Token)
        {
            attempt.Stop(StopReason.LeaseLost);
            return;
        }

        if (row.State == JobState.Canceling)
        {
            // The notice, too, would have told; it may be lost.
            attempt.Stop(StopReason.Canceled);
        }
    }

    [LoggerMessage(EventId = 3020, Level = LogLevel.Warning, Message = "The leases could not be renewed")]
    private static partial void LogMissed(ILogger logger, Exception exception);
}
