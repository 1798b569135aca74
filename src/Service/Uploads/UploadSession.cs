using Condense.Service.Access;

namespace Condense.Service.Uploads;

/// <summary>A row of the table <c>upload</c>: a resumable upload that is not whole yet, or has just become a model.</summary>
internal sealed class UploadSession : ITenantOwned
{
    /// <summary>The <see cref="Offset"/> of an upload that has expired: its bytes have been removed.</summary>
    public const long BytesGone = -1;

    /// <summary>The id, <c>upl_…</c>.</summary>
    public required string Id { get; init; }

    /// <inheritdoc/>
    public required string TenantId { get; init; }

    /// <summary>The blob that grows.</summary>
    public required string BlobId { get; init; }

    /// <summary>Bytes of the whole.</summary>
    public required long Length { get; init; }

    /// <summary>Bytes that are durable; all of them only once the model is made.</summary>
    public long Offset { get; set; }

    /// <summary>Raised by every request that writes: an older one writes nothing more.</summary>
    public int Token { get; set; }

    /// <summary>
    /// Until when the request that brought the last bytes makes the model, milliseconds since 1970 by the database's clock: no other one takes over
    /// meanwhile. The request moves it on; if its process dies, it runs out.
    /// </summary>
    public long FinishingUntil { get; set; }

    /// <summary>What people call the model.</summary>
    public string? Name { get; init; }

    /// <summary>The client's own metadata, as it was sent.</summary>
    public string? Metadata { get; init; }

    /// <summary>The model of several files that it is to become a part of, if it is.</summary>
    public string? PartOf => UploadMetadata.Parse(Metadata).Model;

    /// <summary>The model that it became, or became a part of.</summary>
    public string? ModelId { get; set; }

    /// <summary>When it began, UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>From when on it is removed, UTC.</summary>
    public required DateTimeOffset ExpiresAt { get; set; }
}
