using System.Text.Json;
using Condense.Pipeline.Stages;
using Condense.Service.Datasets;
using Condense.Service.Hosting;
using Condense.Service.Library;
using Condense.Service.Problems;
using Condense.Service.Storage;
using Microsoft.Extensions.Options;
using Quartz;

namespace Condense.Service.Jobs;

/// <summary>One attempt of a job. Quartz delivers it at least once; the fencing token lets one attempt at a time write.</summary>
internal sealed class CompressionJob(
    JobLedger ledger,
    ModelLibrary models,
    DatasetLibrary datasets,
    ResultPublisher publisher,
    DataFolder folder,
    RunningJobs running,
    TimeProvider clock,
    IOptions<WorkerOptions> options,
    ILogger<CompressionJob> logger) : IJob
{
    /// <summary>The one durable Quartz job; each row is a trigger of it.</summary>
    public static readonly JobKey Key = new("compress");

    /// <summary>Names ONNX Runtime's library, as it does for the command line; the setting comes first.</summary>
    private const string RuntimeVariable = "CONDENSE_ONNXRUNTIME_LIBRARY";

    private static readonly string s_worker = $"{Environment.MachineName}/{Environment.ProcessId}";

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
            if (await ledger.ClaimAsync(id, s_worker, cancellationToken) is { } claim)
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
        var constraints = JsonSerializer.Deserialize<JobRequest>(claim.RequestJson, ApiJson.Options)!.Constraints;
        using var limit = TimeLimit.Start(claim, constraints, stop, clock);
        try
        {
            if (!await RunAsync(claim, stop))
            {
                await ledger.StopAsync(claim);
            }
        }
        catch (OperationCanceledException) when (limit.IsExceeded)
        {
            if (!await ledger.FailAsync(claim, limit.Fault, options.Value.RetryDelay))
            {
                await ledger.CancelAsync(claim);
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

    /// <summary>Compresses and publishes.</summary>
    /// <returns>False when the job was taken away meanwhile.</returns>
    private async Task<bool> RunAsync(Job claim, CancellationTokenSource stop)
    {
        var request = JsonSerializer.Deserialize<JobRequest>(claim.RequestJson, ApiJson.Options)!;
        var model = await models.GetAsync(claim.ModelId, stop.Token);
        var counts = claim.DatasetId is null ? null : (await datasets.ReadAsync(claim.DatasetId, stop.Token)).Counts;
        string jobFolder = folder.JobFolder(claim.Id);
        string output = Path.Combine(jobFolder, "result");
        var environment = new RunEnvironment
        {
            WorkDirectory = Directory.CreateDirectory(Path.Combine(jobFolder, "work")).FullName,
            Threads = options.Value.ThreadsPerJob(),
            Clock = clock,
            OnnxRuntimeLibrary = options.Value.OnnxRuntimeLibrary ?? Environment.GetEnvironmentVariable(RuntimeVariable),
        };
        using var files = await models.FetchAsync(model, stop.Token);
        var progress = new ProgressLog(ledger, claim, clock);

        // The numbers on a thread of their own; rows only from this flow, which waits for them.
        var run = Task.Run(
            () => CompressionRun.RunAsync(
                files.Parts, output, request.OutputFormatFor(model.Format!.Value), request.ToRecipe(counts), environment, progress, stop.Token),
            CancellationToken.None);
        await progress.WatchAsync(run, stop);
        return await publisher.PublishAsync(claim, model, await run, output, stop.Token);
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
