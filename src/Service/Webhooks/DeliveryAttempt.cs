using System.Text.Json.Serialization;

namespace Condense.Service.Webhooks;

/// <summary>One try to deliver.</summary>
internal sealed record DeliveryAttempt
{
    private const int Gone = 410;

    /// <summary>When it began, UTC.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>How long it took.</summary>
    public required int Milliseconds { get; init; }

    /// <summary>The status that the receiver answered; absent when it answered none.</summary>
    public int? Status { get; init; }

    /// <summary>Why it counts as failed, in words; absent when it succeeded.</summary>
    public string? Error { get; init; }

    /// <summary>How long the receiver asks to be left alone.</summary>
    [JsonIgnore]
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Whether the receiver has it.</summary>
    [JsonIgnore]
    public bool Succeeded => Error is null;

    /// <summary>Whether the receiver wants nothing any more.</summary>
    [JsonIgnore]
    public bool IsGone => Status == Gone;
}
