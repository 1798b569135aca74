using System.Globalization;
using Condense.Service.Problems;

namespace Condense.Service.Jobs;

/// <summary>Stops an attempt when its job has run for as long as the user lets it.</summary>
internal sealed class TimeLimit : IDisposable
{
    private readonly double _seconds;
    private readonly CancellationTokenSource? _timer;
    private readonly CancellationTokenRegistration _registration;

    private TimeLimit(double seconds, CancellationTokenSource? timer, AttemptStop stop)
    {
        _seconds = seconds;
        _timer = timer;
        _registration = timer?.Token.Register(() => stop.Stop(StopReason.OutOfTime)) ?? default;
    }

    /// <summary>What to say when the time was up.</summary>
    public Fault Fault => new(
        ProblemKind.MaxSecondsExceeded,
        string.Create(CultureInfo.InvariantCulture, $"The job had not finished {_seconds} s after its start, as constraints.maxSeconds asks for. Allow more, or a smaller target or fewer methods."),
        []);

    /// <summary>Starts the clock.</summary>
    /// <param name="stop">What stops the attempt.</param>
    /// <param name="constraints">What the run may cost; null for anything.</param>
    /// <param name="clock">The clock.</param>
    public static TimeLimit Start(AttemptStop stop, JobConstraints? constraints, TimeProvider clock)
    {
        if (constraints?.MaxSeconds is not { } seconds)
        {
            return new TimeLimit(0, null, stop);
        }

        var now = clock.GetUtcNow();
        var left = (stop.Claim.StartedAt ?? now) + TimeSpan.FromSeconds(seconds) - now;
        return new TimeLimit(seconds, new CancellationTokenSource(left > TimeSpan.Zero ? left : TimeSpan.Zero, clock), stop);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _registration.Dispose();
        _timer?.Dispose();
    }
}
