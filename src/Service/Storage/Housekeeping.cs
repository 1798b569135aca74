using Condense.Service.Jobs;
using Condense.Service.Library;
using Microsoft.EntityFrameworkCore;

namespace Condense.Service.Storage;

/// <summary>
/// At start, before anything is answered: removes what a dead process has left in this process's folder, and sees to it that every unfinished piece of
/// work will be delivered. What belongs to all nodes is the <see cref="Sweeper"/>'s.
/// </summary>
internal sealed class Housekeeping(
    CondenseDbContext db, WriteTransaction transaction, WorkTriggers triggers, DataFolder folder, IBlobStore blobs, TimeProvider clock, ILogger<Housekeeping> logger)
{
    /// <summary>Does all of it.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        int staged = RemoveScratch() + folder.RemoveDeadNodes();

        // Nobody else stages into this folder, and nothing of this process is younger than now.
        int artifacts = db is SqliteDbContext ? await blobs.RemoveUnnamedAsync(db, clock.GetUtcNow(), cancellationToken) : 0;
        int folders = await RemoveJobFoldersAsync(cancellationToken);
        int rescheduled = await RescheduleAsync(cancellationToken);
        if (staged + artifacts + folders + rescheduled > 0)
        {
            JobLog.CleanedUp(logger, staged, artifacts, folders, rescheduled);
        }
    }

    /// <summary>Where the database holds the bytes, the files of this machine are copies, and of unknown worth after a crash.</summary>
    private int RemoveScratch()
    {
        string[] files = db is SqliteDbContext ? [] : [.. Directory.GetFiles(folder.Staging), .. Directory.GetFiles(folder.Cache)];
        Array.ForEach(files, File.Delete);
        return files.Length;
    }

    private async Task<int> RemoveJobFoldersAsync(CancellationToken cancellationToken)
    {
        var unfinished = await db.Jobs.IgnoreQueryFilters().Where(JobStates.Unfinished).Select(job => job.Id).ToHashSetAsync(StringComparer.Ordinal, cancellationToken);
        string[] dead = [.. Directory.EnumerateDirectories(folder.Jobs).Where(path => !unfinished.Contains(Path.GetFileName(path)))];
        Array.ForEach(dead, path => Directory.Delete(path, recursive: true));
        return dead.Length;
    }

    /// <summary>
    /// Quartz recovers what was running when the process died. What it does not know any more, because it was told that a firing had ended
    /// before the row said so, is scheduled anew.
    /// </summary>
    private Task<int> RescheduleAsync(CancellationToken cancellationToken) =>
        transaction.RunAsync(
            async (scheduler, cancel) =>
            {
                var jobs = await db.Jobs.IgnoreQueryFilters().AsNoTracking().Where(JobStates.Unfinished).ToListAsync(cancel);
                var scheduled = await WorkTriggers.ScheduledAsync(scheduler, CompressionJob.Key, cancel);
                jobs.RemoveAll(job => scheduled.Contains(job.Id));
                foreach (var job in jobs)
                {
                    await triggers.CompressAsync(scheduler, job.Id, job.Priority, cancel);
                }

                var models = await db.Models.IgnoreQueryFilters().Where(model => model.State == ModelState.Validating).Select(model => model.Id).ToListAsync(cancel);
                scheduled = await WorkTriggers.ScheduledAsync(scheduler, InspectionJob.Key, cancel);
                models.RemoveAll(scheduled.Contains);
                foreach (string model in models)
                {
                    await triggers.InspectAsync(scheduler, model, cancel);
                }

                return jobs.Count + models.Count;
            },
            cancellationToken);
}
