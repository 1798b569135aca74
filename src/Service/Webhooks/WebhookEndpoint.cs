using Condense.Service.Access;

namespace Condense.Service.Webhooks;

/// <summary>A row of the table <c>webhook_endpoint</c>: where a tenant wants to be told.</summary>
internal sealed class WebhookEndpoint : ITenantOwned
{
    /// <summary>The id, <c>whk_…</c>.</summary>
    public required string Id { get; init; }

    /// <inheritdoc/>
    public required string TenantId { get; init; }

    /// <summary>Where to.</summary>
    public required string Url { get; set; }

    /// <summary>What people call it.</summary>
    public string? Description { get; set; }

    /// <summary>The types of events, separated by spaces.</summary>
    public required string Events { get; set; }

    /// <summary>Signs, <c>whsec_…</c>. Kept in clear: a signature can't be made from a digest.</summary>
    public required string Secret { get; set; }

    /// <summary>The secret before a rotation, which signs too until <see cref="PreviousSecretUntil"/>.</summary>
    public string? PreviousSecret { get; set; }

    /// <summary>Until when, UTC.</summary>
    public DateTimeOffset? PreviousSecretUntil { get; set; }

    /// <summary>Why nothing is sent any more: <c>gone</c>, <c>failing</c> or <c>manual</c>; null while it is enabled.</summary>
    public string? DisabledReason { get; set; }

    /// <summary>Since when every delivery has failed, UTC; null after a success.</summary>
    public DateTimeOffset? FailingSince { get; set; }

    /// <summary>When it was made, UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Whether it asks for a type of event.</summary>
    public bool Wants(string type) => Events.Split(' ').Contains(type, StringComparer.Ordinal);
}
