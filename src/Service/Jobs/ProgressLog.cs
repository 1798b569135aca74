using Condense.Pipeline.Stages;
using Condense.Service.Problems;
using Condense.Service.Telemetry;

namespace Condense.Service.Jobs;

/// <summary>Takes a run's progress at the run's own pace, and writes the latest to the job's row at most once a second, as an event at most every five.</summary>
internal sealed class ProgressLog(JobLedger ledger, Job claim, TimeProvider clock) : IProgress<StageProgress>, IDisposable
{
    /// <summary>How many seconds a run that was asked to stop may go on before its job counts as canceled all the same.</summary>
    private const int Grace = 3;

    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan s_eventInterval = TimeSpan.FromSeconds(5);

    private readonly StageSpans _spans = new();

    private StageProgress? _latest;
    private StageProgress? _written;
    private (double Fraction, long At)? _first;
    private long? _told;

    /// <inheritdoc/>
    public void Report(StageProgress value)
    {
        _spans.Enter(value.Stage);
        Volatile.Write(ref _latest, value);
    }

    /// <summary>Writes until the run has ended, and once more then. Does not throw what the run throws.</summary>
    /// <param name="run">The run.</param>
    /// <param name="stop">What stops the run: cancelled here when the attempt has lost the job, or the job was canceled.</param>
    public async Task WatchAsync(Task run, AttemptStop stop)
    {
        int sinceStop = 0;
        while (await Task.WhenAny(run, Task.Delay(s_interval, clock)) != run)
        {
            if (stop.IsCancellationRequested)
            {
                // A layer is long and the user has waited: the result would be thrown away anyhow.
                if (++sinceStop >= Grace)
                {
                    await ledger.CancelAsync(claim);
                }
            }
            else if (!await WriteAsync())
            {
                stop.Stop(StopReason.LeaseLost);
            }
        }

        _spans.Dispose();
        await WriteAsync();
    }

    /// <summary>The run has ended.</summary>
    public void Dispose() => _spans.Dispose();

    private async Task<bool> WriteAsync()
    {
        var latest = Volatile.Read(ref _latest);
        if (latest is null || ReferenceEquals(latest, _written))
        {
            return true;
        }

        _written = latest;
        bool isEvent = _told is not { } told || clock.GetElapsedTime(told) >= s_eventInterval;
        _told = isEvent ? clock.GetTimestamp() : _told;
        try
        {
            return await ledger.ReportAsync(claim, JobProgress.Of(latest, EtaSeconds(latest.Fraction)), isEvent, CancellationToken.None);
        }
        catch (Exception exception) when (Fault.Of(exception).Kind == ProblemKind.DatabaseUnavailable)
        {
            // The work goes on without the database, and will say later how far it is.
            return true;
        }
    }

    /// <summary>From where this attempt began: what an earlier one had finished took this one no time.</summary>
    private double? EtaSeconds(double fraction)
    {
        const int Decimals = 1;
        var (start, at) = _first ??= (fraction, clock.GetTimestamp());
        double seconds = clock.GetElapsedTime(at).TotalSeconds;
        return fraction > start && seconds > 0 ? Math.Round(seconds / (fraction - start) * (1 - fraction), Decimals) : null;
    }
}
