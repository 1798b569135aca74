using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;

namespace Condense.Service.Jobs;

/// <summary>
/// The folders of this node in which jobs are worked on. An attempt that ends its job removes its own; one that handed the job on leaves it, for the
/// job may come back: it goes when the job has ended, wherever that was.
/// </summary>
internal sealed class WorkFolders(CondenseDbContext db, DataFolder folder, RunningJobs running)
{
    /// <summary>Behind an id, in the folders of assistants and of side work: they remove theirs themselves.</summary>
    public const string SideMark = "+";

    /// <summary>Removes what those of a dead process have left.</summary>
    public void RemoveDead() =>
        Array.ForEach(Directory.GetDirectories(folder.Jobs, $"*{SideMark}*"), path => Directory.Delete(path, recursive: true));

    /// <summary>Removes the folders of jobs that have ended, and of those that there never were. A job that has ended begins nowhere again.</summary>
    /// <returns>How many.</returns>
    public async Task<int> RemoveEndedAsync(CancellationToken cancellationToken)
    {
        string[] ids = [.. Directory.EnumerateDirectories(folder.Jobs).Select(path => Path.GetFileName(path)).Where(name => !name.Contains(SideMark, StringComparison.Ordinal))];
        var unfinished = await db.Jobs.IgnoreQueryFilters().Where(JobStates.Unfinished).Where(job => ids.Contains(job.Id)).Select(job => job.Id)
            .ToHashSetAsync(StringComparer.Ordinal, cancellationToken);
        unfinished.UnionWith(running.All.Select(attempt => attempt.Claim.Id));
        string[] ended = [.. ids.Where(id => !unfinished.Contains(id)).Select(folder.JobFolder)];
        Array.ForEach(ended, path => Directory.Delete(path, recursive: true));
        return ended.Length;
    }
}
