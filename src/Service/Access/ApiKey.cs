namespace Condense.Service.Access;

/// <summary>A row of the table <c>api_key</c>. The key itself is nowhere: only its digest.</summary>
internal sealed class ApiKey : ITenantOwned
{
    /// <summary>The id, <c>key_…</c>.</summary>
    public required string Id { get; init; }

    /// <inheritdoc/>
    public required string TenantId { get; init; }

    /// <summary>What people call it.</summary>
    public required string Name { get; init; }

    /// <summary>The key's first characters, by which people recognise it.</summary>
    public required string Prefix { get; init; }

    /// <summary>SHA-256 of the key, lower-case hex. A key holds 256 random bits: nothing slower is needed against guessing.</summary>
    public required string Sha256 { get; init; }

    /// <summary>The scopes, separated by spaces.</summary>
    public required string Scopes { get; init; }

    /// <summary>When it was made, UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>From when on it is refused, UTC; null for never.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>When it was last seen, UTC, to the minute or so.</summary>
    public DateTimeOffset? LastUsedAt { get; set; }
}
