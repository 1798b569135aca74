using Condense.Service.Storage;
using Microsoft.Extensions.Options;

namespace Condense.Service.Webhooks;

/// <summary>
/// Sends what is due, many at once. A receiver that answers slowly fills its own share of the attempts and no other's; every process that sends does
/// so on its own, and what is written elsewhere is found within a poll.
/// </summary>
internal sealed class WebhookSender(
    IServiceScopeFactory scopes, WebhookDispatcher dispatcher, DeliverySignal signal, OutageLog outage, IOptions<WebhookOptions> options, TimeProvider clock, ILogger<WebhookSender> logger)
    : BackgroundService
{
    /// <summary>A claim outlives its attempt by this much: time to write down how it ended.</summary>
    public static readonly TimeSpan ClaimMargin = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan s_forgetInterval = TimeSpan.FromHours(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<Delivery, Task> _attempts = [];

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        long? forgotten = null;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (await BeginAsync(stoppingToken) == 0)
                {
                    await signal.WaitAsync(options.Value.Poll, clock, stoppingToken);
                }

                if (forgotten is not { } last || clock.GetElapsedTime(last) >= s_forgetInterval)
                {
                    await InQueueAsync(async queue => await queue.ForgetAsync(DateTimeOffset.FromUnixTimeMilliseconds(await queue.NowAsync(stoppingToken)) - options.Value.Keep, stoppingToken));
                    forgotten = clock.GetTimestamp();
                }
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                break;
            }
            catch (Exception exception)
            {
                // The database is away, most likely; it comes back.
                if (!outage.Takes(exception))
                {
                    WebhookLog.SendingInterrupted(logger, exception);
                }

                await Task.Delay(options.Value.Poll, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        await Task.WhenAll(Attempts());
    }

    /// <summary>Begins attempts of what is due, as far as there is room.</summary>
    /// <returns>How many.</returns>
    private async Task<int> BeginAsync(CancellationToken cancellationToken)
    {
        Delivery[] running;
        lock (_lock)
        {
            running = [.. _attempts.Keys];
        }

        int room = options.Value.Parallelism - running.Length;
        if (room <= 0)
        {
            return 0;
        }

        long now = 0;
        var claims = await InQueueAsync(async queue =>
        {
            now = await queue.NowAsync(cancellationToken);
            long until = now + (long)(options.Value.Timeout + ClaimMargin).TotalMilliseconds;
            return await queue.ClaimAsync(now, until, running, options.Value.ParallelismPerReceiver, room, cancellationToken);
        });
        foreach (var claim in claims)
        {
            Begin(claim, now, cancellationToken);
        }

        return claims.Count;
    }

    private void Begin(Delivery claim, long now, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            var attempt = Task.Run(() => AttemptAsync(claim, now, cancellationToken), CancellationToken.None);
            _attempts.Add(claim, attempt);
            _ = attempt.ContinueWith(_ => End(claim), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }
    }

    private async Task AttemptAsync(Delivery claim, long now, CancellationToken cancellationToken)
    {
        try
        {
            await dispatcher.AttemptAsync(claim, now, cancellationToken);
        }
        catch (Exception exception)
        {
            // The claim runs out, and the delivery is sent again: at least once.
            WebhookLog.AttemptLost(logger, exception, claim.Id);
        }
    }

    private void End(Delivery claim)
    {
        lock (_lock)
        {
            _attempts.Remove(claim);
        }

        // There is room again.
        signal.Raise();
    }

    private Task[] Attempts()
    {
        lock (_lock)
        {
            return [.. _attempts.Values];
        }
    }

    private async Task<T> InQueueAsync<T>(Func<DeliveryQueue, Task<T>> work)
    {
        await using var scope = scopes.CreateAsyncScope();
        return await work(scope.ServiceProvider.GetRequiredService<DeliveryQueue>());
    }
}
