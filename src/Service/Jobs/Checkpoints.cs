using Condense.Service.Access;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;

namespace Condense.Service.Jobs;

/// <summary>The finished pieces of the caller's tenant. All of them can be computed again: what is lost costs time and nothing else.</summary>
internal sealed class Checkpoints(CondenseDbContext db, WriteTransaction transaction, IBlobStore blobs, DataFolder folder, Caller caller, IdSource ids, TimeProvider clock)
{
    /// <summary>How exactly the time of the last use is kept: to be removed after days, hours will do.</summary>
    private static readonly TimeSpan s_precision = TimeSpan.FromHours(1);

    /// <summary>Puts a piece in its place.</summary>
    /// <param name="key">Its digest.</param>
    /// <param name="path">Where it shall lie; it appears there whole or not at all.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>False when there is none.</returns>
    public async Task<bool> FetchAsync(string key, string path, CancellationToken cancellationToken)
    {
        var row = await db.Checkpoints.AsNoTracking().SingleOrDefaultAsync(checkpoint => checkpoint.Key == key, cancellationToken);
        if (row is null)
        {
            return false;
        }

        using var file = await blobs.FetchAsync(row.BlobId, cancellationToken);
        if (file is null)
        {
            // The sweeper was faster.
            return false;
        }

        string staging = $"{path}.{ids.Next("")}";
        File.Copy(file.Path, staging);
        File.Move(staging, path, overwrite: true);
        var now = clock.GetUtcNow();
        if (now - row.UsedAt > s_precision)
        {
            await transaction.RunAsync(
                cancel => db.Checkpoints.Where(checkpoint => checkpoint.Key == key).ExecuteUpdateAsync(set => set.SetProperty(checkpoint => checkpoint.UsedAt, now), cancel),
                cancellationToken);
        }

        return true;
    }

    /// <summary>Stores a piece, unless it is stored already.</summary>
    /// <param name="key">Its digest.</param>
    /// <param name="path">Where it lies; it stays there.</param>
    /// <param name="cancellationToken">Gives up; nothing is stored.</param>
    public async Task StoreAsync(string key, string path, CancellationToken cancellationToken)
    {
        if (await db.Checkpoints.AnyAsync(checkpoint => checkpoint.Key == key, cancellationToken))
        {
            return;
        }

        // The store may move what it is given.
        string copy = Path.Combine(folder.Staging, ids.Next("pce_"));
        File.Copy(path, copy);
        try
        {
            await using var file = await blobs.StageFileAsync(copy, cancellationToken);
            await transaction.RunAsync(
                async cancel =>
                {
                    if (!await db.Checkpoints.AnyAsync(checkpoint => checkpoint.Key == key, cancel))
                    {
                        blobs.Keep(file);
                        db.Add(new Checkpoint { TenantId = caller.Tenant, Key = key, BlobId = file.BlobId, Bytes = file.Bytes, UsedAt = clock.GetUtcNow() });
                    }

                    return true;
                },
                cancellationToken);
        }
        catch (DbUpdateException) when (IsStored(key))
        {
            // Two workers made the same piece at the same moment.
        }
        finally
        {
            File.Delete(copy);
        }
    }

    private bool IsStored(string key) => db.Checkpoints.Any(checkpoint => checkpoint.Key == key);
}
