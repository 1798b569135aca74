using System.Diagnostics;
using System.Text.Json;
using Condense.Service.Hosting;
using Condense.Service.Isolation;
using Condense.Service.Problems;
using Condense.Service.Storage;
using Condense.Service.Telemetry;
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
    Node node,
    Drain drain,
    Patience patience,
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
        if (drain.Begun.IsCancellationRequested)
        {
            await ledger.ReturnAsync(id);
            return;
        }

        if (await patience.InsistAsync(() => ledger.ClaimAsync(id, node.Name, CancellationToken.None), drain.Begun) is not { } claim)
        {
            return;
        }

        using var stop = new AttemptStop(claim, drain);
        await running.EnterAsync(stop);
        try
        {
            await AttemptAsync(claim, stop);
            if (await patience.InsistAsync(() => ledger.HasEndedAsync(id, CancellationToken.None), drain.Begun))
            {
                RemoveWork(id);
            }
        }
        finally
        {
            running.Leave(stop);
        }
    }

    /// <summary>Runs, and writes down how it ended.</summary>
    private async Task AttemptAsync(Job claim, AttemptStop stop)
    {
        using var span = Tracing.Continue("attempt", claim.TraceParent, ActivityKind.Consumer).SetTag("condense.job", claim.Id).SetTag("condense.attempt", claim.Token);
        using var scope = logger.BeginScope(new LogScope(("Job", claim.Id), ("Attempt", claim.Token), ("Tenant", claim.TenantId)));
        JobLog.AttemptBegan(logger, claim.Id, claim.Token);
        var constraints = JsonSerializer.Deserialize<JobRequest>(claim.RequestJson, ApiJson.Options)!.Constraints;
        using var limit = TimeLimit.Start(stop, constraints, clock);
        Fault? fault = null;
        try
        {
            if (await RunAsync(claim, stop))
            {
                return;
            }
        }
        catch (OperationCanceledException) when (stop.Reason == StopReason.OutOfTime)
        {
            fault = limit.Fault;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Said below.
        }
        catch (Exception exception)
        {
            fault = Fault.Of(exception);
            span.Failed(fault.Kind.Code);
            if (fault.IsOurs)
            {
                JobLog.AttemptFailed(logger, exception, claim.Id, claim.Token);

                // What breaks while the process ends, or after the job has been lost, is not charged to the job.
                fault = stop.Reason is StopReason.Drained or StopReason.LeaseLost ? null : fault;
            }
        }

        // Also while the process ends: it may take its time for that, and the database may be back within it.
        if (fault is null || !await patience.InsistAsync(() => ledger.FailAsync(claim, fault, options.Value.RetryDelay), CancellationToken.None))
        {
            string reason = stop.Reason == StopReason.LeaseLost ? AttemptEnd.LeaseLost : AttemptEnd.Drained;
            await patience.InsistAsync(() => ledger.StopAsync(claim, reason), CancellationToken.None);
        }
    }

    /// <summary>Compresses in a child, and publishes.</summary>
    /// <returns>False when the job was taken away meanwhile.</returns>
    private async Task<bool> RunAsync(Job claim, AttemptStop stop)
    {
        using var place = await room.EnterAsync(claim.PredictedMemoryBytes, stop.Token);
        using var input = await patience.InsistAsync(() => inputs.FetchAsync(claim, stop.Token), stop.Token);
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
        using var progress = new ProgressLog(ledger, claim, clock);
        await using var pieces = new SharedPieces(scopes, claim, node.Name, assistsIn: null, clock, logger, stop.AtOnce);
        var run = children.RunAsync(claim.TenantId, task, new ChildRelay(progress, pieces.AnswerAsync), new ChildStop(stop.Token, stop.AtOnce));
        try
        {
            await progress.WatchAsync(run, stop);
        }
        finally
        {
            // Unless the rows could not be written, it has ended already.
            if (!run.IsCompleted)
            {
                stop.Stop(StopReason.Failed);
                await run.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            }
        }

        return await publisher.PublishAsync(claim, input.Model, await run, task.Output, stop.AtOnce);
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
