using Condense.Service.Jobs;
using Microsoft.EntityFrameworkCore;

namespace Condense.Service.Storage;

/// <summary>
/// At start, before anything is answered: removes what a dead process has left in this process's folder, and sees to it that every unfinished piece of
/// work will be delivered. What belongs to all nodes is the <see cref="ExpirySweeper"/>'s.
/// </summary>
internal sealed class Housekeeping(
    CondenseDbContext db, Redelivery redelivery, DataFolder folder, IBlobStore blobs, TimeProvider clock, ILogger<Housekeeping> logger)
{
    /// <summary>Does all of it.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        int staged = RemoveScratch() + folder.RemoveDeadNodes();

        // Nobody else stages into this folder, and nothing of this process is younger than now.
        int artifacts = db is SqliteDbContext ? await blobs.RemoveUnnamedAsync(db, clock.GetUtcNow(), cancellationToken) : 0;
        int folders = await RemoveJobFoldersAsync(cancellationToken);
        await redelivery.ForgetLeasesAsync(cancellationToken);
        int rescheduled = await redelivery.HandOverAsync(cancellationToken) + await redelivery.RescheduleAsync(cancellationToken);
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
}
