using Condense.Service.Access;

namespace Condense.Service.Jobs;

/// <summary>A row of the table <c>checkpoint</c>: a finished piece of work, named by a digest of all that went into it, for every job of the tenant.</summary>
internal sealed class Checkpoint : ITenantOwned
{
    /// <inheritdoc/>
    public required string TenantId { get; init; }

    /// <summary>The digest, lower-case hex.</summary>
    public required string Key { get; init; }

    /// <summary>Its bytes.</summary>
    public required string BlobId { get; init; }

    /// <summary>How many.</summary>
    public required long Bytes { get; init; }

    /// <summary>When it was made or last used, UTC, to the hour or so: old ones are removed.</summary>
    public required DateTimeOffset UsedAt { get; set; }
}
