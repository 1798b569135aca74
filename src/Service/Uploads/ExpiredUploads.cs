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
    CondenseDbContext db, WriteTransaction transaction, IUploadBytes bytes, ModelLibrary library, Caller caller, IOptions<UploadOptions> options, TimeProvider clock)
{
    /// <summary>So many at a time.</summary>
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

    private async Task<int> RemoveBytesAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        var expired = await db.Uploads.IgnoreQueryFilters().AsNoTracking()
            .Where(row => row.ExpiresAt <= now && row.ModelId == null && row.Offset >= 0)
            .OrderBy(row => row.ExpiresAt)
            .Take(Batch)
            .ToListAsync(cancellationToken);
        int removed = 0;
        foreach (var upload in expired)
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
                removed++;
            }
        }

        return removed;
    }

    /// <summary>Rows that nobody asks for any more; and bytes, where a process died before it had removed them.</summary>
    private async Task<int> ForgetAsync(DateTimeOffset before, CancellationToken cancellationToken)
    {
        var old = await db.Uploads.IgnoreQueryFilters().AsNoTracking().Where(row => row.ExpiresAt <= before).OrderBy(row => row.ExpiresAt).Take(Batch).ToListAsync(cancellationToken);
        foreach (var upload in old)
        {
            if (!await db.Artifacts.IgnoreQueryFilters().AnyAsync(artifact => artifact.BlobId == upload.BlobId, cancellationToken))
            {
                await bytes.RemoveAsync(upload.BlobId);
            }

            await transaction.RunAsync(cancel => db.Uploads.IgnoreQueryFilters().Where(row => row.Id == upload.Id).ExecuteDeleteAsync(cancel), cancellationToken);
        }

        return old.Count;
    }

    private async Task<int> RemoveModelsAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        var before = now - options.Value.CommitWithin;
        var abandoned = await db.Models.IgnoreQueryFilters().AsNoTracking()
            .Where(model => model.State == ModelState.Receiving && model.CreatedAt <= before)
            .OrderBy(model => model.Id)
            .Take(Batch)
            .Select(model => new { model.Id, model.TenantId })
            .ToListAsync(cancellationToken);
        foreach (var model in abandoned)
        {
            caller.Become(model.TenantId);
            try
            {
                await library.RemoveAsync(model.Id, cancellationToken, onlyReceiving: true);
            }
            catch (ProblemException exception) when (exception.Kind == ProblemKind.NotFound)
            {
                // Another node was faster.
            }
        }

        return abandoned.Count;
    }
}
