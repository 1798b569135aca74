using Condense.Service.Problems;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Query;

namespace Condense.Service.Jobs;

/// <content>
/// Who has a job, and until when. <see cref="Job.LeaseUntil"/> is set and compared by the database's clock alone, inside the statement: of a running
/// job it is the end of its worker's lease; of a queued one the end of its wait, 0 when it does not wait and has a trigger.
/// </content>
internal sealed partial class JobLedger
{
    /// <summary>A lease that has ended, whatever time it is.</summary>
    public const long Lapsed = 1;

    /// <summary>Begins an attempt: one conditional UPDATE that raises the token. The job must be queued, and must not wait for its next attempt.</summary>
    /// <param name="id">The job.</param>
    /// <param name="worker">The node.</param>
    /// <param name="cancellationToken">Gives up; nothing has begun.</param>
    /// <returns>The row with its new token; null when there is nothing to run.</returns>
    public Task<Job?> ClaimAsync(string id, string worker, CancellationToken cancellationToken) =>
        transaction.RunAsync(
            async cancel =>
            {
                var job = await db.Jobs.IgnoreQueryFilters().AsNoTracking().SingleOrDefaultAsync(row => row.Id == id && row.State == JobState.Queued, cancel);
                if (job is null)
                {
                    return null;
                }

                caller.Become(job.TenantId);
                var now = clock.GetUtcNow();
                if (IsLate(job, now))
                {
                    await FinishAsync(job, JobState.Expired, EventType.Expired, null, null, cancel);
                    return null;
                }

                long lease = (long)options.Value.Lease.TotalMilliseconds;
                bool claimed = await ChangeAsync(
                    job,
                    EventType.Started,
                    set => set.SetProperty(row => row.State, JobState.Running)
                        .SetProperty(row => row.Token, row => row.Token + 1)
                        .SetProperty(row => row.Worker, worker)
                        .SetProperty(row => row.LeaseUntil, _ => DatabaseClock.Milliseconds() + lease)
                        .SetProperty(row => row.StartedAt, row => row.StartedAt ?? now),
                    new { Attempt = job.Token + 1, Worker = worker },
                    cancel,
                    onlyLapsed: true);
                if (!claimed)
                {
                    return null;
                }

                job.Token++;
                job.State = JobState.Running;
                job.Worker = worker;
                db.Add(new Attempt { JobId = id, Number = job.Token, Worker = worker, StartedAt = now });
                return job;
            },
            cancellationToken);

    /// <summary>Hands on a job that was delivered to a process that ends before it has begun.</summary>
    public Task ReturnAsync(string id) =>
        transaction.RunAsync(
            async cancel =>
            {
                int waiting = await db.Jobs.IgnoreQueryFilters().Where(row => row.Id == id && row.State == JobState.Queued && row.LeaseUntil == 0)
                    .ExecuteUpdateAsync(set => set.SetProperty(row => row.LeaseUntil, Lapsed), cancel);
                await Notices.SendAsync(db, cancel, Notices.Handover);
                return waiting;
            },
            CancellationToken.None);

    /// <summary>
    /// Moves on the leases of a node's attempts, in one statement: of those that it works on, and no others. A row that bears its name and that it does
    /// not work on is a claim whose answer was lost: its lease ends, and the job moves on.
    /// </summary>
    /// <param name="worker">The node.</param>
    /// <param name="working">The jobs that it works on.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Those that are still its own, with their tokens and states.</returns>
    public async Task<IReadOnlyDictionary<string, (int Token, JobState State)>> RenewAsync(
        string worker, IReadOnlyCollection<string> working, CancellationToken cancellationToken)
    {
        long lease = (long)options.Value.Lease.TotalMilliseconds;
        await transaction.RunAsync(
            cancel => db.Jobs.IgnoreQueryFilters()
                .Where(job => working.Contains(job.Id) && job.Worker == worker && (job.State == JobState.Running || job.State == JobState.Canceling))
                .ExecuteUpdateAsync(set => set.SetProperty(row => row.LeaseUntil, _ => DatabaseClock.Milliseconds() + lease), cancel),
            cancellationToken);
        var held = await db.Jobs.IgnoreQueryFilters()
            .Where(job => working.Contains(job.Id) && job.Worker == worker && (job.State == JobState.Running || job.State == JobState.Canceling))
            .Select(job => new { job.Id, job.Token, job.State })
            .ToListAsync(cancellationToken);
        return held.ToDictionary(row => row.Id, row => (row.Token, row.State), StringComparer.Ordinal);
    }

    /// <summary>
    /// Hands on a job that is nobody's any more: of a dead worker, or one whose wait for the next attempt is over. It gets its old place in the
    /// queue, ends if it was to be canceled, and fails when too many workers have died at it.
    /// </summary>
    /// <param name="job">The row as it was seen.</param>
    /// <param name="cancellationToken">Gives up; nothing has happened.</param>
    /// <returns>Whether this call did it: another node may have, or the worker may have come back in time.</returns>
    public Task<bool> HandOverAsync(Job job, CancellationToken cancellationToken) =>
        transaction.RunAsync(
            async (scheduler, cancel) =>
            {
                caller.Become(job.TenantId);
                if (job.State == JobState.Queued)
                {
                    // The firing that gave it back may not have ended yet, and takes its trigger with it: a later look finds the job again.
                    bool mine = !await WorkTriggers.IsScheduledAsync(scheduler, job, cancel)
                        && await db.Jobs
                            .Where(row => row.Id == job.Id && row.State == JobState.Queued && row.Token == job.Token && row.LeaseUntil == job.LeaseUntil)
                            .ExecuteUpdateAsync(set => set.SetProperty(row => row.LeaseUntil, 0), cancel) == 1;
                    return mine && await triggers.TryCompressAsync(scheduler, job, cancel) && await TellOfWorkAsync(cancel);
                }

                bool dead = job.State == JobState.Canceling
                    ? await FinishAsync(job, JobState.Canceled, EventType.Canceled, null, null, cancel, onlyLapsed: true)
                    : await TakeFromDeadAsync(job, cancel);
                if (dead)
                {
                    await EndAttemptsAsync(job, AttemptEnd.WorkerDied, cancel);
                }

                return dead && await db.Jobs.AnyAsync(row => row.Id == job.Id && row.State == JobState.Queued, cancel)
                    ? await triggers.TryCompressAsync(scheduler, job, cancel) && await TellOfWorkAsync(cancel)
                    : dead;
            },
            cancellationToken);

    /// <summary>Ends a job that nobody has begun in time.</summary>
    /// <returns>False when somebody has, meanwhile.</returns>
    public Task<bool> ExpireAsync(Job job, CancellationToken cancellationToken) =>
        transaction.RunAsync(
            async cancel =>
            {
                caller.Become(job.TenantId);
                return IsLate(job, clock.GetUtcNow()) && await FinishAsync(job, JobState.Expired, EventType.Expired, null, null, cancel);
            },
            cancellationToken);

    private static bool IsLate(Job job, DateTimeOffset now) => job.StartedAt is null && job.ExpiresAt <= now;

    private async Task<bool> TakeFromDeadAsync(Job job, CancellationToken cancellationToken)
    {
        int counted = await CountAttemptsAsync(job.Id, cancellationToken);
        if (counted < MaxAttempts)
        {
            return await ChangeAsync(
                job,
                EventType.Requeued,
                set => set.SetProperty(row => row.State, JobState.Queued).SetProperty(row => row.Worker, (string?)null).SetProperty(row => row.LeaseUntil, 0),
                new { Reason = AttemptEnd.WorkerDied },
                cancellationToken,
                onlyLapsed: true);
        }

        var error = JobError.Of(new Fault(
            ProblemKind.WorkerCrashedRepeatedly, $"The process died in each of {counted} attempts, or failed in them. The job is not tried again.", []));
        string json = Json(error);
        return await FinishAsync(job, JobState.Failed, EventType.Failed, set => set.SetProperty(row => row.ErrorJson, json), error, cancellationToken, onlyLapsed: true);
    }

    /// <summary>Puts a claimed job back; when its wait is over, whoever looks first schedules it.</summary>
    private async Task<bool> RequeueAsync(Job claim, TimeSpan wait, Action<UpdateSettersBuilder<Job>>? set, object data, CancellationToken cancellationToken)
    {
        long milliseconds = (long)wait.TotalMilliseconds;
        bool mine = await ChangeAsync(
            claim,
            EventType.Requeued,
            setters =>
            {
                setters.SetProperty(row => row.State, JobState.Queued).SetProperty(row => row.Worker, (string?)null)
                    .SetProperty(row => row.LeaseUntil, _ => DatabaseClock.Milliseconds() + milliseconds);
                set?.Invoke(setters);
            },
            data,
            cancellationToken);
        if (mine && milliseconds == 0)
        {
            transaction.WhenCommitted(handover.Raise);
            await Notices.SendAsync(db, cancellationToken, Notices.Handover);
        }

        return mine;
    }

    private async Task<bool> TellOfWorkAsync(CancellationToken cancellationToken)
    {
        await Notices.SendAsync(db, cancellationToken, Notices.Work);
        return true;
    }

    private Task<int> CountAttemptsAsync(string jobId, CancellationToken cancellationToken) =>
        db.Attempts.CountAsync(
            attempt => attempt.JobId == jobId && attempt.EndReason != AttemptEnd.Drained && attempt.EndReason != AttemptEnd.LeaseLost, cancellationToken);
}
