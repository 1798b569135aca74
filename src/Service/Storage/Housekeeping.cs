using Condense.Service.Jobs;
using Microsoft.EntityFrameworkCore;

namespace Condense.Service.Storage;

/// <summary>
/// At start, before anything is answered: removes what a dead process has left on the disk, and sees to it that every unfinished piece of work
/// will be delivered.
/// </summary>
internal sealed class Housekeeping(
    CondenseDbContext db, Redelivery redelivery, DataFolder folder, ILogger<Housekeeping> logger)
{
    /// <summary>Does all of it.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        int staged = RemoveStaged();
        int artifacts = await RemoveOrphansAsync(cancellationToken);
        int folders = await RemoveJobFoldersAsync(cancellationToken);
        await redelivery.ForgetLeasesAsync(cancellationToken);
        int rescheduled = await redelivery.HandOverAsync(cancellationToken) + await redelivery.RescheduleAsync(cancellationToken);
        if (staged + artifacts + folders + rescheduled > 0)
        {
            JobLog.CleanedUp(logger, staged, artifacts, folders, rescheduled);
        }
    }

    private int RemoveStaged()
    {
        string[] files = Directory.GetFiles(folder.Staging);
        Array.ForEach(files, File.Delete);
        return files.Length;
    }

    /// <summary>Files that were renamed into the store by a transaction that did not commit, or whose removal was cut short.</summary>
    private async Task<int> RemoveOrphansAsync(CancellationToken cancellationToken)
    {
        var known = await db.Artifacts.IgnoreQueryFilters().Select(artifact => artifact.BlobId)
            .Concat(db.Checkpoints.IgnoreQueryFilters().Select(checkpoint => checkpoint.BlobId)).ToHashSetAsync(StringComparer.Ordinal, cancellationToken);
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
}
