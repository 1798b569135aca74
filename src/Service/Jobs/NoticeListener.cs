using Condense.Service.Storage;
using Condense.Service.Webhooks;
using Npgsql;
using Quartz.Extensibility;

namespace Condense.Service.Jobs;

/// <summary>
/// Hears what other nodes commit: new work wakes this node's scheduler, events wake those who follow a job, a cancellation stops the attempt.
/// It only makes things faster: each of them is also found by looking.
/// </summary>
internal sealed partial class NoticeListener(
    NpgsqlDataSource database, JobSignals signals, RunningJobs running, HandoverSignal handover, DeliverySignal deliveries, ISchedulerSignaler scheduler, OutageLog outage, TimeProvider clock, ILogger<NoticeListener> logger)
    : BackgroundService
{
    private static readonly TimeSpan s_retryDelay = TimeSpan.FromSeconds(1);

    /// <summary>A connection that was cut without a word is noticed after this.</summary>
    private static readonly TimeSpan s_silence = TimeSpan.FromSeconds(15);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        signals.HearOthers(false);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await using var connection = await database.OpenConnectionAsync(stoppingToken);
                outage.Over();
                await ListenAsync(connection, stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                signals.HearOthers(false);
                if (!outage.Takes(exception))
                {
                    LogLost(logger, exception);
                }

                await Task.Delay(s_retryDelay, clock, stoppingToken);
            }
        }
    }

    private async Task ListenAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        bool work = true;
        connection.Notification += (_, notification) => work |= Take(notification.Payload);
        await ExecuteAsync(connection, $"LISTEN {Notices.Channel}", cancellationToken);

        // Once before the first wait, for what was committed while nobody listened.
        handover.Raise();
        signals.HearOthers(true);
        while (true)
        {
            if (work)
            {
                work = false;
                await scheduler.SignalSchedulingChange(candidateNewNextFireTimeUtc: null, cancellationToken);
            }

            if (!await connection.WaitAsync(s_silence, cancellationToken))
            {
                await ExecuteAsync(connection, "SELECT 1", cancellationToken);
                outage.Over();
            }
        }
    }

    /// <summary>Hands a notice on; whether it is about new work.</summary>
    private bool Take(string notice)
    {
        if (Notices.EventOf(notice) is { } changed)
        {
            signals.Raise(changed);
        }
        else if (Notices.CancelOf(notice) is { } canceled)
        {
            running.Stop(canceled, StopReason.Canceled);
        }
        else if (string.Equals(notice, Notices.Handover, StringComparison.Ordinal))
        {
            handover.Raise();
        }
        else if (string.Equals(notice, Notices.Deliveries, StringComparison.Ordinal))
        {
            deliveries.Raise();
        }

        return string.Equals(notice, Notices.Work, StringComparison.Ordinal);
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string statement, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(statement, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    [LoggerMessage(EventId = 3010, Level = LogLevel.Warning, Message = "The connection that brings news from other nodes is lost; news is found by looking until it is back")]
    private static partial void LogLost(ILogger logger, Exception exception);
}
