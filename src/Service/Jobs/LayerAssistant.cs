using Condense.Pipeline.Stages;
using Condense.Service.Access;
using Condense.Service.Hosting;
using Condense.Service.Isolation;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Condense.Service.Jobs;

/// <summary>Lets idle slots of this worker work on the layers that jobs of other workers share. Whole jobs come first, always.</summary>
internal sealed class LayerAssistant(
    IServiceScopeFactory scopes, ChildPool children, MemoryRoom room, DataFolder folder, Node node, OutageLog outage, TimeProvider clock, IOptions<WorkerOptions> options, ILogger<LayerAssistant> logger)
    : BackgroundService
{
    private static readonly TimeSpan s_poll = TimeSpan.FromMilliseconds(500);

    private int _number;

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.Value.Assist)
        {
            await Task.WhenAll(Enumerable.Range(0, options.Value.Concurrency).Select(_ => LookAsync(stoppingToken)));
        }
    }

    private async Task LookAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            bool found = false;
            try
            {
                found = room.HasIdleSlot && await AssistAsync(stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                if (!outage.Takes(exception))
                {
                    IsolationLog.SearchFailed(logger, exception);
                }
            }
            catch (OperationCanceledException)
            {
                return;
            }

            if (!found)
            {
                await Task.Delay(s_poll, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>Works on one job's layers until there are none left, or the slot is wanted back.</summary>
    /// <returns>Whether there was something to do.</returns>
    private async Task<bool> AssistAsync(CancellationToken stoppingToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var services = scope.ServiceProvider;
        if (await services.GetRequiredService<LayerUnits>().FindAsync(stoppingToken) is not { } open)
        {
            return false;
        }

        var job = await services.GetRequiredService<CondenseDbContext>().Jobs.IgnoreQueryFilters().AsNoTracking()
            .SingleOrDefaultAsync(row => row.Id == open.JobId && row.Token == open.Token, stoppingToken);
        if (job is null || room.TryAssist(job.PredictedMemoryBytes) is not { } place)
        {
            return false;
        }

        using (place)
        {
            services.GetRequiredService<Caller>().Become(job.TenantId);
            int number = Interlocked.Increment(ref _number);
            string name = $"{node.Name}+{number}";
            string work = folder.JobFolder($"{job.Id}{WorkFolders.SideMark}{number}");
            try
            {
                IsolationLog.Assists(logger, job.Id, open.Stage);
                await WorkAsync(services.GetRequiredService<JobInputs>(), job, open.ToStage(), name, Directory.CreateDirectory(work).FullName, stoppingToken);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                // The layer's lease runs out, and the job's own worker meets the same trouble, if it is one of the layer.
                IsolationLog.AssistanceFailed(logger, exception, job.Id);
                return false;
            }
            catch (OperationCanceledException) when (!stoppingToken.IsCancellationRequested)
            {
                // The job has ended, or has another worker.
                return false;
            }
            finally
            {
                if (Directory.Exists(work))
                {
                    Directory.Delete(work, recursive: true);
                }
            }
        }

        return true;
    }

    private async Task WorkAsync(JobInputs inputs, Job job, Stage stage, string name, string work, CancellationToken stoppingToken)
    {
        using var input = await inputs.FetchAsync(job, stoppingToken);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        await using var pieces = new SharedPieces(scopes, job, name, room, clock, logger, stop.Token);
        pieces.WhenLost(stop);
        var task = new AssistTask
        {
            Input = input.Files.Parts,
            OutputFormat = input.OutputFormat,
            Recipe = input.Recipe,
            WorkDirectory = work,
            Threads = options.Value.ThreadsPerJob(),
            Stage = stage,
        };
        await children.RunAsync(job.TenantId, task, new ChildRelay(Progress: null, pieces.AnswerAsync), new ChildStop(stop.Token));
    }
}
