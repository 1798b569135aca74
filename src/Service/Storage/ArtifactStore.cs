using Condense.Service.Access;
using Condense.Service.Problems;
using Condense.Service.Telemetry;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace Condense.Service.Storage;

/// <summary>The artifacts of the caller's tenant: blobs by digest, each but once.</summary>
internal sealed class ArtifactStore(CondenseDbContext db, WriteTransaction transaction, IBlobStore blobs, QuotaGuard quotas, Caller caller, TimeProvider clock)
{
    /// <summary>Stores a body; see <see cref="IBlobStore.StageAsync"/>.</summary>
    /// <param name="body">The bytes.</param>
    /// <param name="announced">How many they are, if the client says so.</param>
    /// <param name="limit">The most that are taken.</param>
    /// <param name="cancellationToken">Stops; nothing is left.</param>
    /// <exception cref="ProblemException">There are more bytes than the limit (<c>payload_too_large</c>), or than the tenant has room for (<c>quota_exceeded</c>).</exception>
    public async Task<StagedFile> StageAsync(Stream body, long? announced, long limit, CancellationToken cancellationToken)
    {
        var arrival = await quotas.ExpectAsync(db, caller.Tenant, announced, cancellationToken);
        try
        {
            var file = await blobs.StageAsync(announced is null ? new CountedStream(body, arrival.Add, static _ => { }) : body, limit, cancellationToken);
            file.Arrival = arrival;
            return file;
        }
        catch
        {
            arrival.Dispose();
            throw;
        }
    }

    /// <summary>Stores a file that a job has made; see <see cref="IBlobStore.StageFileAsync"/>.</summary>
    public Task<StagedFile> StageFileAsync(string path, CancellationToken cancellationToken) => blobs.StageFileAsync(path, cancellationToken);

    /// <summary>
    /// Makes an artifact of a staged file, or recognises that the tenant has its bytes already. Only inside <see cref="WriteTransaction"/>: the row
    /// commits with the rows that refer to it.
    /// </summary>
    public async Task AdoptAsync(StagedFile file, CancellationToken cancellationToken)
    {
        transaction.WhenCommitted(() => file.Arrival?.Dispose());

        // One statement, for two may come with the same bytes at once. The row that is there already is locked by the update that changes nothing:
        // nobody takes it away before the rows that will refer to it are committed.
        var artifact = new Artifact { TenantId = caller.Tenant, Sha256 = file.Sha256, BlobId = file.BlobId, Bytes = file.Bytes, CreatedAt = clock.GetUtcNow() };
        object createdAt = db is SqliteDbContext ? new DateTimeOffsetToBinaryConverter().ConvertToProvider(artifact.CreatedAt)! : artifact.CreatedAt;
        await db.Database.ExecuteSqlAsync(
            $"""
            INSERT INTO artifact (tenant_id, sha256, blob_id, bytes, created_at)
            VALUES ({artifact.TenantId}, {artifact.Sha256}, {artifact.BlobId}, {artifact.Bytes}, {createdAt})
            ON CONFLICT (tenant_id, sha256) DO UPDATE SET bytes = excluded.bytes
            """,
            cancellationToken);
        if (string.Equals(await BlobOfAsync(file.Sha256, cancellationToken), file.BlobId, StringComparison.Ordinal))
        {
            transaction.WhenUndone(() => file.IsKept = false);
            blobs.Keep(file);
        }
    }

    /// <summary>Opens an artifact for reading, seekable; null when it is gone.</summary>
    public async Task<Stream?> OpenReadAsync(string sha256, CancellationToken cancellationToken) =>
        await BlobOfAsync(sha256, cancellationToken) is { } blob ? await blobs.OpenReadAsync(blob, cancellationToken) : null;

    /// <summary>An artifact as a file on this machine; null when it is gone.</summary>
    public async Task<LocalFile?> FetchAsync(string sha256, CancellationToken cancellationToken) =>
        await BlobOfAsync(sha256, cancellationToken) is { } blob ? await blobs.FetchAsync(blob, cancellationToken, sha256) : null;

    /// <summary>
    /// Takes the artifact's row when nothing refers to it any more. Only inside <see cref="WriteTransaction"/>: should a row come to refer to it
    /// meanwhile, the foreign key refuses, and the transaction runs again and sees that row.
    /// </summary>
    /// <returns>The blob that is to be removed once the transaction has committed; null when it is still referred to.</returns>
    public async Task<string?> ReleaseAsync(string sha256, CancellationToken cancellationToken)
    {
        string? blob = await BlobOfAsync(sha256, cancellationToken);
        int removed = await db.Artifacts
            .Where(row => row.Sha256 == sha256
                && !db.Models.Any(model => model.Sha256 == sha256)
                && !db.Parts.Any(part => part.TenantId == row.TenantId && part.Sha256 == sha256)
                && !db.Forms.Any(form => form.Sha256 == sha256)
                && !db.Datasets.Any(dataset => dataset.Sha256 == sha256))
            .ExecuteDeleteAsync(cancellationToken);
        return removed > 0 ? blob : null;
    }

    /// <summary>Removes the bytes of a released artifact, if there is one.</summary>
    public Task RemoveReleasedAsync(string? blobId) => blobId is null ? Task.CompletedTask : blobs.RemoveAsync(blobId, CancellationToken.None);

    private Task<string?> BlobOfAsync(string sha256, CancellationToken cancellationToken) =>
        db.Artifacts.Where(row => row.Sha256 == sha256).Select(row => row.BlobId).SingleOrDefaultAsync(cancellationToken);
}
