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
    IServiceScopeFactory scopes,
    TimeProvider clock,
    IOptions<WorkerOptions> options,
    ILogger<CompressionJob> logger) : IJob
{
    /// <summary>The one durable Quartz job; each row is a trigger of it.</summary>
    public static readonly JobKey Key = new("compress");

    /// <summary>Names ONNX Runtime's library, as it does for the command line; the setting comes first.</summary>
    private const string RuntimeVariable = "CONDENSE_ONNXRUNTIME_LIBRARY";

    private static readonly TimeSpan s_databasePause = TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default)
    {
        string id = WorkTriggers.SubjectOf(context);
        if (cancellationToken.IsCancellationRequested)
        {
            await ledger.ReturnAsync(id);
            return;
        }

        long asked = clock.GetTimestamp();
        if (await WhenDatabaseAnswersAsync(() => ledger.ClaimAsync(id, node.Name, CancellationToken.None), cancellationToken) is not { } claim)
        {
            return;
        }

        using var stop = new AttemptStop(claim, cancellationToken) { RenewedAt = asked };
        await running.EnterAsync(stop);
        try
        {
            await AttemptAsync(claim, stop);
            if (await WhenDatabaseAnswersAsync(() => ledger.HasEndedAsync(id, CancellationToken.None), cancellationToken))
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
            }
        }

        // A process that ends does not wait for the database: another one finds the job when its lease has ended.
        var giveUp = stop.Reason == StopReason.Drained ? stop.Token : CancellationToken.None;
        if (fault is null || !await WhenDatabaseAnswersAsync(() => ledger.FailAsync(claim, fault, options.Value.RetryDelay), giveUp))
        {
            string reason = stop.Reason == StopReason.LeaseLost ? AttemptEnd.LeaseLost : AttemptEnd.Drained;
            await WhenDatabaseAnswersAsync(() => ledger.StopAsync(claim, reason), giveUp);
        }
    }

    /// <summary>Reads or writes rows, again and again while the database is away: the work itself does not depend on it.</summary>
    private async Task<T> WhenDatabaseAnswersAsync<T>(Func<Task<T>> action, CancellationToken giveUp)
    {
        while (true)
        {
            try
            {
                return await action();
            }
            catch (Exception exception) when (Fault.Of(exception).Kind == ProblemKind.DatabaseUnavailable && !giveUp.IsCancellationRequested)
            {
                await Task.Delay(s_databasePause, clock, CancellationToken.None);
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
        using var progress = new ProgressLog(ledger, claim, clock);
        await using var pieces = new SharedPieces(scopes, claim, node.Name, assistsIn: null, clock, logger);
        var run = children.RunAsync(claim.TenantId, task, new ChildRelay(progress, pieces.AnswerAsync), stop.Token);
        try
        {
            await progress.WatchAsync(run, stop);
        }
        finally
        {
            // Unless the rows could not be written, it has ended already.
            if (!run.IsCompleted)
            {
                await stop.CancelAsync();
                await run.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            }
        }

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
