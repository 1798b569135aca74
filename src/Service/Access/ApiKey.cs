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

    /// <summary>Whether it is refused for its age.</summary>
    public bool HasExpired(DateTimeOffset now) => ExpiresAt <= now;

    /// <summary>Whether it has been given exactly this scope.</summary>
    public bool Holds(string scope) => Scopes.Split(' ').Contains(scope, StringComparer.Ordinal);

    /// <summary>Whether it opens an endpoint that asks for this scope; null asks for any key. An admin may do everything.</summary>
    public bool Allows(string? scope) => scope is null || Holds(scope) || Holds(Scope.Admin);
}
