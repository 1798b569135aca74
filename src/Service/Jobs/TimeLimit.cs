using System.Globalization;
using Condense.Service.Problems;

namespace Condense.Service.Jobs;

/// <summary>Stops an attempt when its job has run for as long as the user lets it.</summary>
internal sealed class TimeLimit : IDisposable
{
    private readonly double? _seconds;
    private readonly CancellationTokenSource? _timer;
    private readonly CancellationTokenRegistration _registration;

    private TimeLimit(double? seconds, CancellationTokenSource? timer, CancellationTokenSource stop)
    {
        _seconds = seconds;
        _timer = timer;
        _registration = timer?.Token.Register(stop.Cancel) ?? default;
    }

    /// <summary>Whether the time was up.</summary>
    public bool IsExceeded => _timer is { IsCancellationRequested: true };

    /// <summary>What to say then.</summary>
    public Fault Fault => new(
        ProblemKind.MaxSecondsExceeded,
        string.Create(CultureInfo.InvariantCulture, $"The job had not finished {_seconds} s after its start, as constraints.maxSeconds asks for. Allow more, or a smaller target or fewer methods."),
        []);

    /// <summary>Starts the clock.</summary>
    /// <param name="claim">The attempt's claim.</param>
    /// <param name="constraints">What the run may cost; null for anything.</param>
    /// <param name="stop">What stops the attempt.</param>
    /// <param name="clock">The clock.</param>
    public static TimeLimit Start(Job claim, JobConstraints? constraints, CancellationTokenSource stop, TimeProvider clock)
    {
        if (constraints?.MaxSeconds is not { } seconds)
        {
            return new TimeLimit(null, null, stop);
        }

        var now = clock.GetUtcNow();
        var left = (claim.StartedAt ?? now) + TimeSpan.FromSeconds(seconds) - now;
        return new TimeLimit(seconds, new CancellationTokenSource(left > TimeSpan.Zero ? left : TimeSpan.Zero, clock), stop);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _registration.Dispose();
        _timer?.Dispose();
    }
}
