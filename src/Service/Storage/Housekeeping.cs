using Condense.Service.Jobs;

namespace Condense.Service.Storage;

/// <summary>
/// At start, before anything is answered: removes what a dead process has left in this process's folder, and sees to it that every unfinished piece of
/// work will be delivered. What belongs to all nodes is the <see cref="ExpirySweeper"/>'s.
/// </summary>
internal sealed class Housekeeping(
    CondenseDbContext db, Redelivery redelivery, WorkFolders work, DataFolder folder, IBlobStore blobs, TimeProvider clock, ILogger<Housekeeping> logger)
{
    /// <summary>Does all of it.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        int staged = RemoveScratch() + folder.RemoveDeadNodes();

        // Nobody else stages into this folder, and nothing of this process is younger than now.
        int artifacts = db is SqliteDbContext ? await blobs.RemoveUnnamedAsync(db, clock.GetUtcNow(), cancellationToken) : 0;
        work.RemoveDead();
        int folders = await work.RemoveEndedAsync(cancellationToken);
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
}
