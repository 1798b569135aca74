using Condense.Service.Access;

namespace Condense.Service.Webhooks;

/// <summary>A row of the table <c>delivery</c>, the outbox: written in the transaction of its event, sent afterwards until it succeeds or is given up.</summary>
internal sealed class Delivery : ITenantOwned
{
    /// <summary>The id, <c>dlv_…</c>; the header <c>webhook-id</c>, constant over retries.</summary>
    public required string Id { get; init; }

    /// <inheritdoc/>
    public required string TenantId { get; init; }

    /// <summary>The endpoint; null when the job itself names a URL.</summary>
    public string? EndpointId { get; init; }

    /// <summary>Where to, when there is no endpoint.</summary>
    public string? Url { get; init; }

    /// <summary>The type of the event.</summary>
    public required string Type { get; init; }

    /// <summary>The body, byte for byte the same at every attempt.</summary>
    public required string Payload { get; init; }

    /// <summary>The trace of the request that led to the event; passed on.</summary>
    public string? TraceParent { get; init; }

    /// <summary><c>pending</c>, <c>succeeded</c>, <c>failed</c> or <c>dropped</c>.</summary>
    public required string State { get; set; }

    /// <summary>Attempts so far.</summary>
    public int AttemptCount { get; set; }

    /// <summary>The attempts as JSON: when, status or error, milliseconds.</summary>
    public string AttemptsJson { get; set; } = "[]";

    /// <summary>When the next attempt is due, milliseconds since 1970 by the database's clock; while an attempt runs, until when nobody else may try.</summary>
    public required long DueAt { get; set; }

    /// <summary>When it was written, UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it ended, UTC.</summary>
    public DateTimeOffset? FinishedAt { get; set; }

    /// <summary>Whether somebody tries an endpoint: one attempt, which says nothing against the endpoint.</summary>
    public bool IsTest => string.Equals(Type, WebhookEvent.Test, StringComparison.Ordinal);
}
