namespace Condense.Service.Access;

/// <summary>A row of the table <c>tenant</c>: who owns models, jobs and everything else.</summary>
internal sealed class Tenant
{
    /// <summary>The tenant of whoever needs no key: on loopback, without keys.</summary>
    public const string Default = "default";

    /// <summary>The name, which is the id.</summary>
    public required string Id { get; init; }

    /// <summary>Signs the webhooks that jobs name by URL; <c>whsec_…</c>. Made when it is first needed.</summary>
    public string? WebhookSecret { get; set; }

    /// <summary>The secret before a rotation, which signs too until <see cref="PreviousWebhookSecretUntil"/>.</summary>
    public string? PreviousWebhookSecret { get; set; }

    /// <summary>Until when, UTC.</summary>
    public DateTimeOffset? PreviousWebhookSecretUntil { get; set; }

    /// <summary>When it was made, UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
}
