using Condense.Service.Library;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;
using Quartz;

namespace Condense.Service.Jobs;

/// <summary>Finds unfinished work that nobody will deliver, and schedules it: every piece by one node only, whoever else is looking.</summary>
internal sealed class Redelivery(
    CondenseDbContext db, WriteTransaction transaction, JobLedger ledger, WorkTriggers triggers, DatabaseContact contact, ISchedulerFactory schedulers, TimeProvider clock)
{
    /// <summary>Jobs of one look; the next one follows soon.</summary>
    private const int AtOnce = 100;

    /// <summary>
    /// At the start of the only process that there is (SQLite): whoever held a lease is dead. It does nothing where other nodes may live.
    /// </summary>
    public async Task ForgetLeasesAsync(CancellationToken cancellationToken)
    {
        if (!db.Database.IsNpgsql())
        {
            await transaction.RunAsync(
                cancel => db.Jobs.IgnoreQueryFilters().Where(job => job.LeaseUntil > 0).ExecuteUpdateAsync(set => set.SetProperty(row => row.LeaseUntil, JobLedger.Lapsed), cancel),
                cancellationToken);
        }
    }

    /// <summary>
    /// Jobs whose lease has ended, whose wait is over, or that have waited too long. Leases are judged by who has had contact with the database long
    /// enough; those that were ended on purpose, and waits, by everybody.
    /// </summary>
    /// <returns>How many were handed over.</returns>
    public async Task<int> HandOverAsync(CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        var lapsed = await db.Jobs.IgnoreQueryFilters().AsNoTracking()
            .Where(job => (job.State == JobState.Queued || job.State == JobState.Running || job.State == JobState.Canceling)
                && job.LeaseUntil > 0 && job.LeaseUntil <= DatabaseClock.Milliseconds())
            .OrderBy(job => job.LeaseUntil)
            .Take(AtOnce)
            .ToListAsync(cancellationToken);
        bool judges = contact.Answered();
        int handedOver = 0;
        foreach (var job in lapsed.Where(job => judges || job.State == JobState.Queued || job.LeaseUntil == JobLedger.Lapsed))
        {
            handedOver += await ledger.HandOverAsync(job, cancellationToken) ? 1 : 0;
            contact.Answered();
        }

        var late = await db.Jobs.IgnoreQueryFilters().AsNoTracking()
            .Where(job => job.State == JobState.Queued && job.StartedAt == null && job.ExpiresAt <= now)
            .Take(AtOnce)
            .ToListAsync(cancellationToken);
        foreach (var job in late)
        {
            await ledger.ExpireAsync(job, cancellationToken);
        }

        return handedOver;
    }

    /// <summary>
    /// Queued jobs and unread models without a trigger: their firing ended because the database went away before the row could change.
    /// A firing that has not come to its row yet still has its trigger, or is one that Quartz recovers: then there are two, and the second
    /// finds nothing to do.
    /// </summary>
    /// <returns>How many were scheduled.</returns>
    public async Task<int> RescheduleAsync(CancellationToken cancellationToken)
    {
        // A new scheduler makes its tables.
        await schedulers.GetScheduler(cancellationToken);
        var jobs = await db.Database.SqlQuery<string>(
            $"""
            SELECT id AS "Value" FROM job j WHERE state = 'Queued' AND lease_until = 0
            AND NOT EXISTS (SELECT 1 FROM qrtz_triggers t WHERE t.sched_name = {WorkTriggers.SchedulerName} AND t.trigger_name = j.id || '/' || j.token AND t.trigger_group = {WorkTriggers.CompressionGroup})
            """).ToListAsync(cancellationToken);
        var models = await db.Database.SqlQuery<string>(
            $"""
            SELECT id AS "Value" FROM model m WHERE state = 'Validating'
            AND NOT EXISTS (SELECT 1 FROM qrtz_triggers t WHERE t.sched_name = {WorkTriggers.SchedulerName} AND t.trigger_name = m.id AND t.trigger_group = {WorkTriggers.InspectionGroup})
            """).ToListAsync(cancellationToken);
        int scheduled = 0;
        foreach (string id in jobs)
        {
            scheduled += await RescheduleJobAsync(id, cancellationToken) ? 1 : 0;
        }

        foreach (string id in models)
        {
            scheduled += await RescheduleModelAsync(id, cancellationToken) ? 1 : 0;
        }

        return scheduled;
    }

    private Task<bool> RescheduleJobAsync(string id, CancellationToken cancellationToken) =>
        transaction.RunAsync(
            async (scheduler, cancel) =>
            {
                var job = await db.Jobs.IgnoreQueryFilters().AsNoTracking().SingleOrDefaultAsync(row => row.Id == id && row.State == JobState.Queued && row.LeaseUntil == 0, cancel);
                return job is not null && await triggers.TryCompressAsync(scheduler, job, cancel);
            },
            cancellationToken);

    private Task<bool> RescheduleModelAsync(string id, CancellationToken cancellationToken) =>
        transaction.RunAsync(
            async (scheduler, cancel) =>
                await db.Models.IgnoreQueryFilters().AnyAsync(model => model.Id == id && model.State == ModelState.Validating, cancel)
                && await triggers.TryInspectAsync(scheduler, id, cancel),
            cancellationToken);
}
