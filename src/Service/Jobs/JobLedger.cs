using System.Text.Json;
using Condense.Service.Access;
using Condense.Service.Hosting;
using Condense.Service.Problems;
using Condense.Service.Storage;
using Condense.Service.Telemetry;
using Condense.Service.Webhooks;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Query;
using Microsoft.Extensions.Options;

namespace Condense.Service.Jobs;

/// <summary>
/// The one place that changes a job. Every change is one conditional UPDATE, its event and what belongs to it, in one transaction; whoever
/// holds an older fencing token, or comes after a terminal state, changes nothing.
/// </summary>
internal sealed partial class JobLedger(
    CondenseDbContext db,
    WriteTransaction transaction,
    WorkTriggers triggers,
    Caller caller,
    RunningJobs running,
    JobSignals signals,
    HandoverSignal handover,
    Outbox outbox,
    ServiceMetrics metrics,
    IdSource ids,
    IOptions<WorkerOptions> options,
    TimeProvider clock,
    ILogger<JobLedger> logger)
{
    /// <summary>Attempts of a job that fails through our fault.</summary>
    public const int MaxAttempts = 3;

    /// <summary>Stores a job, its first event and its trigger.</summary>
    /// <param name="job">The row.</param>
    /// <param name="check">Called inside the transaction; what it throws rolls everything back.</param>
    /// <param name="cancellationToken">Gives up; nothing is stored.</param>
    public Task<Job> AcceptAsync(Job job, Func<CancellationToken, Task> check, CancellationToken cancellationToken) =>
        transaction.RunAsync(
            async (scheduler, cancel) =>
            {
                await check(cancel);
                db.Add(job);
                await AddEventAsync(job, Event(job.Id, 1, EventType.Queued, new { job.Priority }), cancel);
                await db.SaveChangesAsync(cancel);
                await triggers.CompressAsync(scheduler, job, cancel);
                await Notices.SendAsync(db, cancel, Notices.Work, Notices.Event(job.Id));
                return job;
            },
            cancellationToken);

    /// <summary>Notes how far an attempt is.</summary>
    /// <param name="claim">The attempt's claim.</param>
    /// <param name="progress">How far it is.</param>
    /// <param name="isEvent">Whether it is an event, too: a long job would fill its log otherwise.</param>
    /// <param name="cancellationToken">Gives up; nothing is stored.</param>
    /// <returns>False when the attempt has lost the job, or shall stop.</returns>
    public Task<bool> ReportAsync(Job claim, JobProgress progress, bool isEvent, CancellationToken cancellationToken) =>
        transaction.RunAsync(
            cancel =>
            {
                string json = Json(progress);
                return ChangeAsync(claim, isEvent ? EventType.Progress : null, set => set.SetProperty(row => row.ProgressJson, json), progress, cancel);
            },
            cancellationToken);

    /// <summary>Publishes a result: its rows, the job's terminal state and the event, at once.</summary>
    /// <param name="claim">The attempt's claim.</param>
    /// <param name="success">What was made.</param>
    /// <param name="addRows">Adds the artifact, the model and the report.</param>
    /// <param name="cancellationToken">Gives up; nothing is published.</param>
    /// <returns>False when the attempt had lost the job, or the job was canceled: nothing is published.</returns>
    public Task<bool> SucceedAsync(Job claim, JobSuccess success, Func<CancellationToken, Task> addRows, CancellationToken cancellationToken) =>
        transaction.RunAsync(
            async cancel =>
            {
                string json = Json(success);
                bool mine = await FinishAsync(
                    claim,
                    JobState.Succeeded,
                    EventType.Succeeded,
                    set => set.SetProperty(row => row.ResultJson, json).SetProperty(row => row.ErrorJson, (string?)null),
                    new { success.Outcome, success.Result.Model, success.Result.Ratio, success.Result.ReusedLayers },
                    cancel,
                    outcome: ServiceMetrics.Word(success.Outcome));
                if (mine)
                {
                    await addRows(cancel);
                    await EndAttemptsAsync(claim, AttemptEnd.Succeeded, cancel);
                }

                return mine;
            },
            cancellationToken);

    /// <summary>Ends an attempt that failed. Through our fault: the job waits for its next attempt, if it has any left; else it fails.</summary>
    /// <param name="claim">The attempt's claim.</param>
    /// <param name="fault">Why.</param>
    /// <param name="retryDelay">The wait before the second attempt; it doubles with every further one.</param>
    public async Task<bool> FailAsync(Job claim, Fault fault, TimeSpan retryDelay)
    {
        var error = JobError.Of(fault);
        string json = Json(error);
        int counted = await CountAttemptsAsync(claim.Id, CancellationToken.None);
        bool died = string.Equals(fault.AttemptEnd, AttemptEnd.WorkerDied, StringComparison.Ordinal);
        if (died && counted >= MaxAttempts)
        {
            fault = fault with { Kind = ProblemKind.WorkerCrashedRepeatedly, Detail = $"The process died in each of {counted} attempts, or failed in them. The job is not tried again. The last time: {fault.Detail}" };
            error = JobError.Of(fault);
            json = Json(error);
        }

        if (fault.IsOurs && counted < MaxAttempts)
        {
            var wait = retryDelay * (1 << (counted - 1));
            return await transaction.RunAsync(
                async cancel =>
                {
                    bool waits = await RequeueAsync(claim, wait, set => set.SetProperty(row => row.ErrorJson, json), error, cancel);
                    if (waits)
                    {
                        await EndAttemptsAsync(claim, fault.AttemptEnd, cancel);
                    }

                    return waits;
                },
                CancellationToken.None);
        }

        return await transaction.RunAsync(
            async cancel =>
            {
                bool mine = await FinishAsync(claim, JobState.Failed, EventType.Failed, set => set.SetProperty(row => row.ErrorJson, json), error, cancel);
                if (mine)
                {
                    await EndAttemptsAsync(claim, fault.AttemptEnd, cancel);
                }

                return mine;
            },
            CancellationToken.None);
    }

    /// <summary>
    /// Ends an attempt that was stopped: by the user, then the job is canceled; else it goes back to the queue, at once, and the attempt does not
    /// count.
    /// </summary>
    /// <param name="claim">The attempt's claim.</param>
    /// <param name="reason">The word for it, if it was not the user.</param>
    /// <returns>False when the job is another's already.</returns>
    public Task<bool> StopAsync(Job claim, string reason = AttemptEnd.Drained) =>
        transaction.RunAsync(
            async cancel =>
            {
                if (await TryCancelAsync(claim, cancel))
                {
                    return true;
                }

                bool mine = await RequeueAsync(claim, TimeSpan.Zero, null, new { Reason = reason }, cancel);
                if (mine)
                {
                    await EndAttemptsAsync(claim, reason, cancel);
                }

                return mine;
            },
            CancellationToken.None);

    /// <summary>Ends a job that was asked to stop, although its worker has not come to a halt yet.</summary>
    /// <returns>False when it was not asked to.</returns>
    public Task<bool> CancelAsync(Job claim) => transaction.RunAsync(cancel => TryCancelAsync(claim, cancel), CancellationToken.None);

    /// <summary>Asks a job to stop: a waiting one is canceled at once, a running one within seconds.</summary>
    /// <returns>The state after the request.</returns>
    /// <exception cref="ProblemException">There is no such job, or it has succeeded or failed.</exception>
    public async Task<JobState> RequestCancelAsync(string id, CancellationToken cancellationToken)
    {
        var state = await transaction.RunAsync(
            async cancel =>
            {
                while (true)
                {
                    var job = await db.Jobs.AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancel) ?? throw NoJob(id);
                    if (job.State is JobState.Succeeded or JobState.Failed or JobState.Expired)
                    {
                        throw new ProblemException(ProblemKind.JobAlreadyFinished, $"The job {id} has {job.State.ToString().ToLowerInvariant()} already.");
                    }

                    // Not changed: a worker was faster. Then it is in another state by now.
                    if (job.State is JobState.Canceled or JobState.Canceling || await TryRequestCancelAsync(job, cancel))
                    {
                        return job.State;
                    }
                }
            },
            cancellationToken);
        if (state == JobState.Canceling)
        {
            running.Stop(id, StopReason.Canceled);
        }

        return state;
    }

    /// <summary>Whether a job has come to its end.</summary>
    public Task<bool> HasEndedAsync(string id, CancellationToken cancellationToken) =>
        db.Jobs.IgnoreQueryFilters().Where(row => row.Id == id).AllAsync(
            row => row.State == JobState.Succeeded || row.State == JobState.Failed || row.State == JobState.Canceled || row.State == JobState.Expired, cancellationToken);

    /// <summary>The answer for an id that does not exist.</summary>
    public static ProblemException NoJob(string id) => new(ProblemKind.NotFound, $"There is no job {id}.");

    private static string Json<T>(T document) => JsonSerializer.Serialize(document, ApiJson.Options);

    private async Task<bool> TryRequestCancelAsync(Job job, CancellationToken cancellationToken)
    {
        bool waits = job.State == JobState.Queued;
        bool changed = waits
            ? await FinishAsync(job, JobState.Canceled, EventType.Canceled, null, null, cancellationToken)
            : await ChangeAsync(job, EventType.Canceling, set => set.SetProperty(row => row.State, JobState.Canceling), null, cancellationToken);
        if (changed)
        {
            job.State = waits ? JobState.Canceled : JobState.Canceling;
            await Notices.SendAsync(db, cancellationToken, Notices.Cancel(job.Id));
        }

        return changed;
    }

    private async Task<bool> TryCancelAsync(Job claim, CancellationToken cancellationToken)
    {
        var canceling = new Job
        {
            Id = claim.Id,
            TenantId = claim.TenantId,
            ModelId = claim.ModelId,
            RequestJson = claim.RequestJson,
            Priority = claim.Priority,
            CreatedAt = claim.CreatedAt,
            State = JobState.Canceling,
            Token = claim.Token,
            TraceParent = claim.TraceParent,
        };
        bool mine = await FinishAsync(canceling, JobState.Canceled, EventType.Canceled, null, null, cancellationToken);
        if (mine)
        {
            await EndAttemptsAsync(claim, AttemptEnd.Canceled, cancellationToken);
        }

        return mine;
    }

    private async Task<bool> FinishAsync(
        Job expected,
        JobState state,
        string type,
        Action<UpdateSettersBuilder<Job>>? set,
        object? data,
        CancellationToken cancellationToken,
        bool onlyLapsed = false,
        string? outcome = null)
    {
        var now = clock.GetUtcNow();
        bool finished = await ChangeAsync(
            expected,
            type,
            setters =>
            {
                setters.SetProperty(row => row.State, state).SetProperty(row => row.FinishedAt, now)
                    .SetProperty(row => row.Worker, (string?)null).SetProperty(row => row.LeaseUntil, 0);
                set?.Invoke(setters);
            },
            data,
            cancellationToken,
            onlyLapsed);
        if (finished)
        {
            transaction.WhenCommitted(() => metrics.JobEnded(MethodsOfJob.Of(expected.RequestJson), outcome ?? ServiceMetrics.Word(state)));
        }

        return finished;
    }

    /// <summary>
    /// The conditional UPDATE and its event, if it is one: nothing happens unless the job is in the expected state and under the expected token,
    /// and nothing to a job that somebody still has, or that waits, where only a lapsed one is meant.
    /// </summary>
    private async Task<bool> ChangeAsync(
        Job expected, string? type, Action<UpdateSettersBuilder<Job>> set, object? data, CancellationToken cancellationToken, bool onlyLapsed = false)
    {
        int events = type is null ? 0 : 1;
        int changed = await db.Jobs
            .Where(row => row.Id == expected.Id && row.State == expected.State && row.Token == expected.Token
                && (!onlyLapsed || row.LeaseUntil <= DatabaseClock.Milliseconds()))
            .ExecuteUpdateAsync(
                setters =>
                {
                    setters.SetProperty(row => row.Version, row => row.Version + 1).SetProperty(row => row.EventCount, row => row.EventCount + events);
                    set(setters);
                },
                cancellationToken);
        if (changed == 0)
        {
            return false;
        }

        if (type is null)
        {
            return true;
        }

        int sequence = await db.Jobs.Where(row => row.Id == expected.Id).Select(row => row.EventCount).SingleAsync(cancellationToken);
        await AddEventAsync(expected, Event(expected.Id, sequence, type, data), cancellationToken);
        await Notices.SendAsync(db, cancellationToken, Notices.Event(expected.Id));
        return true;
    }

    private async Task EndAttemptsAsync(Job claim, string reason, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        int ended = await db.Attempts.Where(attempt => attempt.JobId == claim.Id && attempt.Number <= claim.Token && attempt.EndedAt == null)
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.EndedAt, now).SetProperty(row => row.EndReason, reason), cancellationToken);
        if (ended > 0)
        {
            transaction.WhenCommitted(() =>
            {
                metrics.AttemptEnded(reason, ended);
                JobLog.AttemptEnded(logger, claim.Id, reason);
            });
        }
    }

    /// <summary>Adds an event, and what webhooks tell of it.</summary>
    private Task AddEventAsync(Job job, JobEvent item, CancellationToken cancellationToken)
    {
        db.Add(item);
        return outbox.AddAsync(job, item, cancellationToken);
    }

    private JobEvent Event(string jobId, int sequence, string type, object? data)
    {
        transaction.WhenCommitted(() => signals.Raise(jobId));
        return new JobEvent
        {
            JobId = jobId,
            Sequence = sequence,
            Id = ids.Next("evt_"),
            Type = type,
            At = clock.GetUtcNow(),
            DataJson = data is null ? null : JsonSerializer.Serialize(data, data.GetType(), ApiJson.Options),
        };
    }
}
