using Condense.Service.Access;

namespace Condense.Service.Storage;

/// <summary>A row of the table <c>artifact</c>: immutable bytes in the store, named by their digest; a tenant has each but once.</summary>
internal sealed class Artifact : ITenantOwned
{
    /// <inheritdoc/>
    public required string TenantId { get; init; }

    /// <summary>SHA-256, lower-case hex; with the tenant the key.</summary>
    public required string Sha256 { get; init; }

    /// <summary>Where the bytes lie: a name drawn at random, or in data of version 0.2 the digest.</summary>
    public required string BlobId { get; set; }

    /// <summary>Length in bytes.</summary>
    public required long Bytes { get; init; }

    /// <summary>When it was stored, UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
}
