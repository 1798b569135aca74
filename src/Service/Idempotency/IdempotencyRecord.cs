using Condense.Service.Access;

namespace Condense.Service.Idempotency;

/// <summary>A row of the table <c>idempotency</c>: the first answer to a request that named a key.</summary>
internal sealed class IdempotencyRecord : ITenantOwned
{
    /// <inheritdoc/>
    public required string TenantId { get; init; }

    /// <summary>The client's key.</summary>
    public required string Key { get; init; }

    /// <summary>SHA-256 over method, path, query and body, lower-case hex: the same key with another request is a mistake. Empty while the request runs.</summary>
    public required string RequestSha256 { get; set; }

    /// <summary>The status of the answer; null while the request runs.</summary>
    public int? Status { get; set; }

    /// <summary>The headers of the answer, as JSON.</summary>
    public string? HeadersJson { get; set; }

    /// <summary>The body of the answer; null when it held a secret.</summary>
    public string? Body { get; set; }

    /// <summary>When the request came, UTC; tells a claim on the key from the next one.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Until when the request counts as running, milliseconds since 1970 by the database's clock.</summary>
    public long RunningUntil { get; set; }
}
