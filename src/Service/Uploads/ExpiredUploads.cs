using Condense.Service.Access;
using Condense.Service.Library;
using Condense.Service.Problems;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Condense.Service.Uploads;

/// <summary>
/// Removes uploads and models of several files that came to no end in time, of all tenants. Several nodes may do so at once: every step is one that only
/// one of them can take.
/// </summary>
internal sealed class ExpiredUploads(
    CondenseDbContext db,
    WriteTransaction transaction,
    IUploadBytes bytes,
    ModelLibrary library,
    Caller caller,
    IOptions<UploadOptions> options,
    TimeProvider clock,
    ILogger<ExpiredUploads> logger)
{
    /// <summary>So many are read at a time, until there are no more.</summary>
    private const int Batch = 100;

    /// <summary>How long an expired upload is still said to have expired.</summary>
    private static readonly TimeSpan s_remembered = TimeSpan.FromDays(7);

    /// <summary>Removes what has expired.</summary>
    /// <returns>How many uploads and models have gone.</returns>
    public async Task<int> RemoveAsync(CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        return await RemoveBytesAsync(now, cancellationToken) + await RemoveModelsAsync(now, cancellationToken) + await ForgetAsync(now - s_remembered, cancellationToken);
    }

    private async Task<int> RemoveBytesAsync(DateTimeOffset now, CancellationToken cancellationToken) =>
        await RemoveAllAsync(
            db.Uploads.IgnoreQueryFilters().Where(row => row.ExpiresAt <= now && row.ModelId == null && row.Offset >= 0),
            async upload =>
            {
                // Whoever still writes to it has lost it with the token.
                int taken = await transaction.RunAsync(
                    cancel => db.Uploads.IgnoreQueryFilters()
                        .Where(row => row.Id == upload.Id && row.ExpiresAt <= now && row.ModelId == null && row.Offset >= 0)
                        .ExecuteUpdateAsync(set => set.SetProperty(row => row.Offset, UploadSession.BytesGone).SetProperty(row => row.Token, row => row.Token + 1), cancel),
                    cancellationToken);
                if (taken == 1)
                {
                    await bytes.RemoveAsync(upload.BlobId);
                }
            },
            cancellationToken);

    /// <summary>Rows that nobody asks for any more; and bytes, where a process died before it had removed them.</summary>
    private async Task<int> ForgetAsync(DateTimeOffset before, CancellationToken cancellationToken) =>
        await RemoveAllAsync(
            db.Uploads.IgnoreQueryFilters().Where(row => row.ExpiresAt <= before),
            async upload =>
            {
                if (!await db.Artifacts.IgnoreQueryFilters().AnyAsync(artifact => artifact.BlobId == upload.BlobId, cancellationToken))
                {
                    await bytes.RemoveAsync(upload.BlobId);
                }

                await transaction.RunAsync(cancel => db.Uploads.IgnoreQueryFilters().Where(row => row.Id == upload.Id).ExecuteDeleteAsync(cancel), cancellationToken);
            },
            cancellationToken);

    /// <summary>Removes uploads one by one, the oldest first. One that can't be removed does not keep the others.</summary>
    private async Task<int> RemoveAllAsync(IQueryable<UploadSession> rows, Func<UploadSession, Task> remove, CancellationToken cancellationToken)
    {
        int removed = 0;
        string last = "";
        while (true)
        {
            var batch = await rows.AsNoTracking().Where(row => row.Id.CompareTo(last) > 0).OrderBy(row => row.Id).Take(Batch).ToListAsync(cancellationToken);
            foreach (var upload in batch)
            {
                removed += await TryAsync(upload.Id, () => remove(upload)) ? 1 : 0;
                last = upload.Id;
            }

            if (batch.Count < Batch)
            {
                return removed;
            }
        }
    }

    /// <summary>Models of several files that are not whole, and that no new file has come for.</summary>
    private async Task<int> RemoveModelsAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        var before = now - options.Value.CommitWithin;
        int removed = 0;
        string last = "";
        while (true)
        {
            var batch = await db.Models.IgnoreQueryFilters().AsNoTracking()
                .Where(model => model.State == ModelState.Receiving
                    && model.CreatedAt <= before
                    && !model.Parts.Any(part => db.Artifacts.IgnoreQueryFilters().Any(
                        artifact => artifact.TenantId == part.TenantId && artifact.Sha256 == part.Sha256 && artifact.CreatedAt > before))
                    && model.Id.CompareTo(last) > 0)
                .OrderBy(model => model.Id)
                .Take(Batch)
                .Select(model => new { model.Id, model.TenantId })
                .ToListAsync(cancellationToken);
            foreach (var model in batch)
            {
                caller.Become(model.TenantId);
                removed += await TryAsync(model.Id, () => library.RemoveAsync(model.Id, cancellationToken, onlyReceiving: true)) ? 1 : 0;
                last = model.Id;
            }

            if (batch.Count < Batch)
            {
                return removed;
            }
        }
    }

    private async Task<bool> TryAsync(string id, Func<Task> remove)
    {
        try
        {
            await remove();
            return true;
        }
        catch (ProblemException exception) when (exception.Kind == ProblemKind.NotFound)
        {
            // Another node was faster.
            return false;
        }
        catch (Exception exception) when (exception is not OperationCanceledException && !DatabaseFault.IsAway(exception))
        {
            UploadLog.NotRemoved(logger, exception, id);
            return false;
        }
    }
}
