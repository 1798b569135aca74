using System.Text.Json;
using System.Text.Json.Nodes;
using Condense.Service.Hosting;

namespace Condense.Service.Webhooks;

/// <summary>An endpoint as clients see it.</summary>
internal sealed record WebhookResponse
{
    /// <summary>The id.</summary>
    /// <example>whk_01JD8Y3Q4Z5X6W7V8T9S0R1Q2P</example>
    public required string Id { get; init; }

    /// <summary>Where to.</summary>
    public required string Url { get; init; }

    /// <summary>What people call it.</summary>
    public string? Description { get; init; }

    /// <summary>The types of events that it is told of.</summary>
    public required IReadOnlyList<string> Events { get; init; }

    /// <summary>Whether anything is sent.</summary>
    public required bool Enabled { get; init; }

    /// <summary>Why nothing is sent: `gone` (it answered 410), `failing` (five days of nothing but failures) or `manual`.</summary>
    public string? DisabledReason { get; init; }

    /// <summary>Since when every attempt has failed, UTC; absent after a success.</summary>
    public DateTimeOffset? FailingSince { get; init; }

    /// <summary>The secret that signs; only in the answer that made it.</summary>
    /// <example>whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=</example>
    public string? Secret { get; init; }

    /// <summary>Until when the secret before the last rotation signs too, UTC.</summary>
    public DateTimeOffset? PreviousSecretUntil { get; init; }

    /// <summary>When it was made, UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Where to go from here.</summary>
    public required WebhookLinks Links { get; init; }

    /// <summary>The document of a row, without the secret.</summary>
    public static WebhookResponse Of(WebhookEndpoint endpoint) => new()
    {
        Id = endpoint.Id,
        Url = endpoint.Url,
        Description = endpoint.Description,
        Events = endpoint.Events.Split(' '),
        Enabled = endpoint.DisabledReason is null,
        DisabledReason = endpoint.DisabledReason,
        FailingSince = endpoint.FailingSince,
        PreviousSecretUntil = endpoint.PreviousSecretUntil,
        CreatedAt = endpoint.CreatedAt,
        Links = new WebhookLinks($"/v1/webhooks/{endpoint.Id}", $"/v1/webhooks/{endpoint.Id}/deliveries"),
    };
}

/// <summary>Addresses around an endpoint.</summary>
/// <param name="Self">The endpoint.</param>
/// <param name="Deliveries">What was and will be sent there.</param>
internal sealed record WebhookLinks(string Self, string Deliveries);

/// <summary>A secret.</summary>
/// <param name="Secret" example="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=">What signs: the part after `whsec_` is the key in Base64.</param>
/// <param name="PreviousSecretUntil">Until when the secret before it signs too, UTC; absent when there was none.</param>
internal sealed record WebhookSecretResponse(string Secret, DateTimeOffset? PreviousSecretUntil);

/// <summary>One message to one receiver.</summary>
internal sealed record DeliveryResponse
{
    /// <summary>The id; the header `webhook-id`, the same at every attempt.</summary>
    /// <example>dlv_01JD8Y3Q4Z5X6W7V8T9S0R1Q2P</example>
    public required string Id { get; init; }

    /// <summary>The type of the event.</summary>
    /// <example>job.succeeded</example>
    public required string Type { get; init; }

    /// <summary>`pending`, `succeeded`, `failed` (given up), or `dropped` (its endpoint was disabled when it was due).</summary>
    public required string State { get; init; }

    /// <summary>Where to, when a job named the address itself.</summary>
    public string? Url { get; init; }

    /// <summary>The body.</summary>
    public required JsonNode Payload { get; init; }

    /// <summary>The attempts, oldest first; of a delivery that was replayed often, the last fifty.</summary>
    public required IReadOnlyList<DeliveryAttempt> Attempts { get; init; }

    /// <summary>When the next attempt is due, UTC; while one runs, when it would be repeated if its result got lost.</summary>
    public DateTimeOffset? NextAttemptAt { get; init; }

    /// <summary>When it was written, UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it ended, UTC.</summary>
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>The document of a row.</summary>
    public static DeliveryResponse Of(Delivery delivery) => new()
    {
        Id = delivery.Id,
        Type = delivery.Type,
        State = delivery.State,
        Url = delivery.Url,
        Payload = JsonNode.Parse(delivery.Payload)!,
        Attempts = JsonSerializer.Deserialize<DeliveryAttempt[]>(delivery.AttemptsJson, ApiJson.Options)!,
        NextAttemptAt = delivery switch
        {
            { FinishedAt: not null } => null,
            { DueAt: 0 } => delivery.CreatedAt,
            _ => DateTimeOffset.FromUnixTimeMilliseconds(delivery.DueAt),
        },
        CreatedAt = delivery.CreatedAt,
        FinishedAt = delivery.FinishedAt,
    };
}
