
using Condense.Service.Storage;

namespace Condense.Service.Jobs;

/// <summary>
/// Sees to it that whatever nobody works on comes to somebody: a second after a lease has ended or a wait is over, or at once when another
/// node says so; every few seconds also what has lost its trigger.
/// </summary>
internal sealed partial class Sweeper(IServiceScopeFactory scopes, HandoverSignal signal, OutageLog outage, TimeProvider clock, ILogger<Sweeper> logger) : BackgroundService
{
    /// <summary>How often it looks.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    /// <summary>A process may die between the firing of a job and its claim: this and the scheduler's own check-in find that out.</summary>
    private static readonly TimeSpan s_triggerPeriod = TimeSpan.FromSeconds(5);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        long lastTriggers = clock.GetTimestamp();
        while (!stoppingToken.IsCancellationRequested)
        {
            await signal.WaitAsync(Period, stoppingToken);
            try
            {
                await using var scope = scopes.CreateAsyncScope();
                var redelivery = scope.ServiceProvider.GetRequiredService<Redelivery>();
                await redelivery.HandOverAsync(stoppingToken);
                outage.Over();
                if (clock.GetElapsedTime(lastTriggers) >= s_triggerPeriod)
                {
                    await redelivery.RescheduleAsync(stoppingToken);
                    lastTriggers = clock.GetTimestamp();
                }
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                // The next round looks again.
                if (!outage.Takes(exception))
                {
                    LogFailed(logger, exception);
                }
            }
        }
    }

    [LoggerMessage(EventId = 3021, Level = LogLevel.Warning, Message = "Looking for work that nobody has failed; looking again")]
    private static partial void LogFailed(ILogger logger, Exception exception);
}
