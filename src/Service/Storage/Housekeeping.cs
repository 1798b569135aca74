using Condense.Service.Jobs;
using Condense.Service.Library;
using Microsoft.EntityFrameworkCore;

namespace Condense.Service.Storage;

/// <summary>
/// At start, before anything is answered: removes what a dead process has left on the disk, and sees to it that every unfinished piece of work
/// will be delivered.
/// </summary>
internal sealed class Housekeeping(
    CondenseDbContext db, WriteTransaction transaction, WorkTriggers triggers, DataFolder folder, ILogger<Housekeeping> logger)
{
    /// <summary>Does all of it.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var uploads = await db.Uploads.IgnoreQueryFilters().Where(upload => upload.ModelId == null && upload.Offset >= 0).Select(upload => upload.BlobId)
            .ToHashSetAsync(StringComparer.Ordinal, cancellationToken);
        int staged = RemoveStaged(uploads);
        int artifacts = await RemoveOrphansAsync(uploads, cancellationToken);
        int folders = await RemoveJobFoldersAsync(cancellationToken);
        int rescheduled = await RescheduleAsync(cancellationToken);
        if (staged + artifacts + folders + rescheduled > 0)
        {
            JobLog.CleanedUp(logger, staged, artifacts, folders, rescheduled);
        }
    }

    /// <summary>Everything but uploads that can go on.</summary>
    private int RemoveStaged(HashSet<string> uploads)
    {
        string[] files = [.. Directory.EnumerateFiles(folder.Staging).Where(path => !uploads.Contains(Path.GetFileName(path)))];
        Array.ForEach(files, File.Delete);
        return files.Length;
    }

    /// <summary>Files that were renamed into the store by a transaction that did not commit, or whose removal was cut short.</summary>
    private async Task<int> RemoveOrphansAsync(HashSet<string> uploads, CancellationToken cancellationToken)
    {
        var known = await db.Artifacts.IgnoreQueryFilters().Select(artifact => artifact.BlobId).ToHashSetAsync(StringComparer.Ordinal, cancellationToken);
        known.UnionWith(uploads);
        string[] orphans = [.. Directory.EnumerateFiles(folder.Artifacts, "*", SearchOption.AllDirectories).Where(path => !known.Contains(Path.GetFileName(path)))];
        Array.ForEach(orphans, File.Delete);
        return orphans.Length;
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
