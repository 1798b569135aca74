namespace Condense.Service.Access;

/// <summary>A key as clients see it.</summary>
internal sealed record KeyResponse
{
    /// <summary>The id.</summary>
    /// <example>key_01JD8Y3Q4Z5X6W7V8T9S0R1Q2P</example>
    public required string Id { get; init; }

    /// <summary>What people call it.</summary>
    public required string Name { get; init; }

    /// <summary>Its first characters, by which it can be recognised.</summary>
    public required string Prefix { get; init; }

    /// <summary>What it may do.</summary>
    public required IReadOnlyList<string> Scopes { get; init; }

    /// <summary>When it was made, UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>From when on it is refused, UTC; absent for never.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>When it was last used, UTC, to the minute; absent before.</summary>
    public DateTimeOffset? LastUsedAt { get; init; }

    /// <summary>The key itself, for `Authorization: Bearer …`. Only in the answer that made it.</summary>
    public string? Key { get; init; }

    /// <summary>The document of a row.</summary>
    public static KeyResponse Of(ApiKey key) => new()
    {
        Id = key.Id,
        Name = key.Name,
        Prefix = key.Prefix,
        Scopes = key.Scopes.Split(' '),
        CreatedAt = key.CreatedAt,
        ExpiresAt = key.ExpiresAt,
        LastUsedAt = key.LastUsedAt,
    };
}
