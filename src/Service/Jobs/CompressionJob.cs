using Condense.Service.Hosting;
using Condense.Service.Isolation;
using Condense.Service.Problems;
using Condense.Service.Storage;
using Microsoft.Extensions.Options;
using Quartz;

namespace Condense.Service.Jobs;

/// <summary>One attempt of a job. Quartz delivers it at least once; the fencing token lets one attempt at a time write.</summary>
internal sealed class CompressionJob(
    JobLedger ledger,
    JobInputs inputs,
    ChildPool children,
    MemoryRoom room,
    ResultPublisher publisher,
    DataFolder folder,
    RunningJobs running,
    WorkerIdentity identity,
    IServiceScopeFactory scopes,
    TimeProvider clock,
    IOptions<WorkerOptions> options,
    ILogger<CompressionJob> logger) : IJob
{
    /// <summary>The one durable Quartz job; each row is a trigger of it.</summary>
    public static readonly JobKey Key = new("compress");

    /// <summary>Names ONNX Runtime's library, as it does for the command line; the setting comes first.</summary>
    private const string RuntimeVariable = "CONDENSE_ONNXRUNTIME_LIBRARY";

    /// <inheritdoc/>
    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default)
    {
        string id = WorkTriggers.SubjectOf(context);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (!running.TryEnter(id, stop))
        {
            return;
        }

        try
        {
            if (await ledger.ClaimAsync(id, identity.Name, cancellationToken) is { } claim)
            {
                await AttemptAsync(claim, stop);
            }

            if (await ledger.HasEndedAsync(id, CancellationToken.None))
            {
                RemoveWork(id);
            }
        }
        finally
        {
            running.Leave(id);
        }

        // Quartz keeps a firing that a shutdown has interrupted, and delivers it after the next start.
        cancellationToken.ThrowIfCancellationRequested();
    }

    /// <summary>Runs, and writes down how it ended.</summary>
    private async Task AttemptAsync(Job claim, CancellationTokenSource stop)
    {
        try
        {
            if (!await RunAsync(claim, stop))
            {
                await ledger.StopAsync(claim);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            await ledger.StopAsync(claim);
        }
        catch (Exception exception)
        {
            var fault = Fault.Of(exception);
            if (fault.IsOurs)
            {
                JobLog.AttemptFailed(logger, exception, claim.Id, claim.Token);
            }

            if (!await ledger.FailAsync(claim, fault, options.Value.RetryDelay))
            {
                await ledger.CancelAsync(claim);
            }
        }
    }

    /// <summary>Compresses in a child, and publishes.</summary>
    /// <returns>False when the job was taken away meanwhile.</returns>
    private async Task<bool> RunAsync(Job claim, CancellationTokenSource stop)
    {
        using var place = await room.EnterAsync(claim.PredictedMemoryBytes, stop.Token);
        using var input = await inputs.FetchAsync(claim, stop.Token);
        string jobFolder = folder.JobFolder(claim.Id);
        var task = new CompressTask
        {
            Input = input.Files.Parts,
            OutputFormat = input.OutputFormat,
            Recipe = input.Recipe,
            WorkDirectory = Directory.CreateDirectory(Path.Combine(jobFolder, "work")).FullName,
            Output = Path.Combine(jobFolder, "result"),
            Threads = options.Value.ThreadsPerJob(),
            OnnxRuntimeLibrary = options.Value.OnnxRuntimeLibrary ?? Environment.GetEnvironmentVariable(RuntimeVariable),
        };
        var progress = new ProgressLog(ledger, claim, clock);
        await using var pieces = new SharedPieces(scopes, claim, identity.Name, assistsIn: null, clock, logger);
        var run = children.RunAsync(claim.TenantId, task, new ChildRelay(progress, pieces.AnswerAsync), stop.Token);
        await progress.WatchAsync(run, stop);
        return await publisher.PublishAsync(claim, input.Model, await run, task.Output, stop.Token);
    }

    private void RemoveWork(string id)
    {
        string path = folder.JobFolder(id);
        if (Directory.Exists(path))
        {
            Directory.Delete(path, recursive: true);
        }
    }
}
