using Condense.Service.Access;
using Condense.Service.Problems;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Condense.Service.Uploads;

/// <summary>The one place that changes rows of uploads. Every change but the first asks for the token of the turn.</summary>
internal sealed class UploadLedger(CondenseDbContext db, WriteTransaction transaction, Caller caller, IdSource ids, TimeProvider clock, IOptions<UploadOptions> options)
{
    /// <summary>How long nobody takes over from a request that makes the model, and has not said again that it does.</summary>
    public static readonly TimeSpan FinishLease = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(250);

    /// <summary>From when on an upload that has just been touched is removed.</summary>
    private DateTimeOffset Expiry => clock.GetUtcNow() + options.Value.Expiry;

    /// <summary>Begins an upload.</summary>
    public Task<UploadSession> CreateAsync(long length, string? name, string? metadata, CancellationToken cancellationToken) =>
        transaction.RunAsync(
            _ =>
            {
                var upload = new UploadSession
                {
                    Id = ids.Next("upl_"),
                    TenantId = caller.Tenant,
                    BlobId = ids.Next(FolderBlobs.Prefix),
                    Length = length,
                    Name = name,
                    Metadata = metadata,
                    CreatedAt = clock.GetUtcNow(),
                    ExpiresAt = Expiry,
                };
                db.Add(upload);
                return Task.FromResult(upload);
            },
            cancellationToken);

    /// <summary>The upload of that id.</summary>
    /// <exception cref="ProblemException">There is none (<c>not_found</c>), or it came to no end in time (<c>expired</c>).</exception>
    public async Task<UploadSession> GetAsync(string id, CancellationToken cancellationToken)
    {
        var upload = await FindAsync(id, cancellationToken);
        return upload.ModelId is null && (upload.Offset < 0 || upload.ExpiresAt <= clock.GetUtcNow())
            ? throw new ProblemException(ProblemKind.Expired, $"The upload {id} expired at {upload.ExpiresAt:R}. Begin a new one.")
            : upload;
    }

    /// <summary>The upload of that id, once no request is making a model of it any more.</summary>
    /// <returns>The upload, and whether there was something to wait for.</returns>
    /// <exception cref="ProblemException">There is none (<c>not_found</c>), or it came to no end in time (<c>expired</c>).</exception>
    public async Task<(UploadSession Upload, bool Waited)> SettledAsync(string id, CancellationToken cancellationToken)
    {
        bool waited = false;
        while (await db.Uploads.AnyAsync(row => row.Id == id && row.ModelId == null && row.FinishingUntil > DatabaseClock.Milliseconds(), cancellationToken))
        {
            waited = true;
            await Task.Delay(s_look, clock, cancellationToken);
        }

        return (await GetAsync(id, cancellationToken), waited);
    }

    /// <summary>Takes the next turn: a request that wrote before, and perhaps hangs, writes no more. One that makes the model is not disturbed.</summary>
    /// <exception cref="ProblemException">The upload is gone or whole, or its offset is another: <c>upload_offset_mismatch</c>.</exception>
    public Task<UploadTurn> TakeAsync(string id, long offset, CancellationToken cancellationToken) =>
        transaction.RunAsync(
            async cancel =>
            {
                var upload = await GetAsync(id, cancel);
                int taken = upload.Offset != offset || upload.ModelId is not null
                    ? 0
                    : await db.Uploads
                        .Where(row => row.Id == id && row.Token == upload.Token && row.Offset == offset && row.ModelId == null && row.FinishingUntil <= DatabaseClock.Milliseconds())
                        .ExecuteUpdateAsync(set => set.SetProperty(row => row.Token, row => row.Token + 1), cancel);
                return taken == 1
                    ? new UploadTurn(id, upload.BlobId, upload.Length, offset, upload.Token + 1)
                    : throw (upload.Offset == offset ? TakenOver(id) : new ProblemException(
                        ProblemKind.UploadOffsetMismatch, $"The upload {id} is at byte {upload.Offset}, not {offset}. Ask HEAD /v1/uploads/{id} where to go on."));
            },
            cancellationToken);

    /// <summary>Whether no other request has taken over.</summary>
    public Task<bool> HoldsAsync(UploadTurn turn, CancellationToken cancellationToken) => Of(turn).AnyAsync(cancellationToken);

    /// <summary>Moves the offset.</summary>
    /// <returns>False when another request has taken over.</returns>
    public Task<bool> MoveAsync(UploadTurn turn, long offset, CancellationToken cancellationToken) =>
        transaction.RunAsync(cancel => MoveWithinAsync(turn, offset, cancel), cancellationToken);

    /// <summary>As above, only inside <see cref="WriteTransaction"/>.</summary>
    public async Task<bool> MoveWithinAsync(UploadTurn turn, long offset, CancellationToken cancellationToken)
    {
        var expiry = Expiry;
        return await Of(turn).ExecuteUpdateAsync(
            set => set.SetProperty(row => row.Offset, offset).SetProperty(row => row.ExpiresAt, expiry), cancellationToken) == 1;
    }

    /// <summary>From now on, for a while, nobody takes over: the whole is made into a model. Called again, it goes on.</summary>
    /// <returns>False when another request has taken over.</returns>
    public Task<bool> HoldAsync(UploadTurn turn, CancellationToken cancellationToken)
    {
        long lease = (long)FinishLease.TotalMilliseconds;
        return transaction.RunAsync(
            async cancel => await Of(turn).ExecuteUpdateAsync(set => set.SetProperty(row => row.FinishingUntil, _ => DatabaseClock.Milliseconds() + lease), cancel) == 1,
            cancellationToken);
    }

    /// <summary>Lets others take over: no model was made.</summary>
    public Task LetGoAsync(UploadTurn turn) =>
        transaction.RunAsync(cancel => Of(turn).ExecuteUpdateAsync(set => set.SetProperty(row => row.FinishingUntil, 0), cancel), CancellationToken.None);

    /// <summary>Notes what the upload has become. Only inside <see cref="WriteTransaction"/>, beside the model's rows: the last bytes are acknowledged with them.</summary>
    /// <exception cref="ProblemException">Another request has taken over.</exception>
    public async Task FinishWithinAsync(UploadTurn turn, string modelId, CancellationToken cancellationToken)
    {
        var expiry = Expiry;
        int finished = await Of(turn).ExecuteUpdateAsync(
            set => set.SetProperty(row => row.Offset, turn.Length).SetProperty(row => row.ModelId, modelId).SetProperty(row => row.ExpiresAt, expiry), cancellationToken);
        if (finished == 0)
        {
            throw TakenOver(turn.Id);
        }
    }

    /// <summary>Removes an upload, whoever writes to it.</summary>
    /// <returns>The blob that is to be removed; null when it is the model's now, or somebody else has removed the upload.</returns>
    /// <exception cref="ProblemException">There is none: <c>not_found</c>.</exception>
    public Task<string?> RemoveAsync(string id, CancellationToken cancellationToken) =>
        transaction.RunAsync(
            async cancel =>
            {
                var upload = await FindAsync(id, cancel);
                int removed = await db.Uploads.Where(row => row.Id == id && row.ModelId == upload.ModelId).ExecuteDeleteAsync(cancel);
                return removed == 1 && upload.ModelId is null ? upload.BlobId : null;
            },
            cancellationToken);

    /// <summary>Removes an upload that came to nothing; the turn goes with it.</summary>
    /// <returns>False when another request has taken over.</returns>
    public Task<bool> DropAsync(UploadTurn turn, CancellationToken cancellationToken) =>
        transaction.RunAsync(async cancel => await Of(turn).ExecuteDeleteAsync(cancel) == 1, cancellationToken);

    /// <summary>The answer for a request that has lost its turn.</summary>
    public static ProblemException TakenOver(string id) => new(
        ProblemKind.UploadOffsetMismatch, $"Another request has taken over the upload {id}. Ask HEAD /v1/uploads/{id} where to go on.");

    private async Task<UploadSession> FindAsync(string id, CancellationToken cancellationToken) =>
        await db.Uploads.AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken)
        ?? throw new ProblemException(ProblemKind.NotFound, $"There is no upload {id}.");

    private IQueryable<UploadSession> Of(UploadTurn turn) =>
        db.Uploads.Where(row => row.Id == turn.Id && row.Token == turn.Token && row.ModelId == null && row.Offset >= 0);
}
