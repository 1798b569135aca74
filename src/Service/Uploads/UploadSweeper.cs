using Condense.Service.Storage;
using Microsoft.Extensions.Options;

namespace Condense.Service.Uploads;

/// <summary>Removes what has expired, again and again, while the service runs.</summary>
internal sealed class UploadSweeper(IServiceScopeFactory scopes, OutageLog outage, IOptions<UploadOptions> options, TimeProvider clock, ILogger<UploadSweeper> logger) : BackgroundService
{
    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Value.SweepEvery, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await using var scope = scopes.CreateAsyncScope();
                int removed = await scope.ServiceProvider.GetRequiredService<ExpiredUploads>().RemoveAsync(stoppingToken);
                if (removed > 0)
                {
                    UploadLog.Removed(logger, removed);
                }
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                // The database may be away for a while; the next round tries again.
                if (!outage.Takes(exception))
                {
                    UploadLog.SweepFailed(logger, exception);
                }
            }
        }
    }
}
