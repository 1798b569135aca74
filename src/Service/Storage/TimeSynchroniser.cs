using Npgsql;

namespace Condense.Service.Storage;

/// <summary>Asks PostgreSQL what time it is, at start and every minute.</summary>
internal sealed partial class TimeSynchroniser(NpgsqlDataSource database, SynchronisedTime time, OutageLog outage, ILogger<TimeSynchroniser> logger) : BackgroundService
{
    /// <summary>Questions of a measurement; the one that was answered fastest says most.</summary>
    private const int Questions = 5;

    private static readonly TimeSpan s_period = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan s_notable = TimeSpan.FromSeconds(1);

    /// <summary>Measures once.</summary>
    public async Task MeasureAsync(CancellationToken cancellationToken)
    {
        var before = time.GetUtcNow();
        var best = TimeSpan.MaxValue;
        long bestTimestamp = 0;
        long milliseconds = 0;
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var question = new NpgsqlCommand($"SELECT {DatabaseClock.Postgres}", connection);
        for (int i = 0; i < Questions; i++)
        {
            long asked = time.GetTimestamp();
            long answer = (long)(await question.ExecuteScalarAsync(cancellationToken))!;
            long answered = time.GetTimestamp();
            var took = time.GetElapsedTime(asked, answered);
            if (took < best)
            {
                (best, bestTimestamp, milliseconds) = (took, asked + ((answered - asked) / 2), answer);
            }
        }

        time.Set(DateTimeOffset.FromUnixTimeMilliseconds(milliseconds), bestTimestamp);
        var off = time.GetUtcNow() - before;
        if (off.Duration() > s_notable)
        {
            LogStep(logger, off);
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(s_period, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await MeasureAsync(stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                // The monotonic clock keeps the time meanwhile.
                if (!outage.Takes(exception))
                {
                    LogMissed(logger, exception);
                }
            }
        }
    }

    [LoggerMessage(EventId = 1100, Level = LogLevel.Warning, Message = "This machine's clock differs from the database's by {Off}; the database's counts")]
    private static partial void LogStep(ILogger logger, TimeSpan off);

    [LoggerMessage(EventId = 1101, Level = LogLevel.Warning, Message = "The database did not say what time it is; asking again in a minute")]
    private static partial void LogMissed(ILogger logger, Exception exception);
}
