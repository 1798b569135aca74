namespace Condense.Service.Webhooks;

/// <summary>Where a delivery is.</summary>
internal static class DeliveryState
{
    /// <summary>Waits for an attempt, or is at one.</summary>
    public const string Pending = "pending";

    /// <summary>The receiver has it.</summary>
    public const string Succeeded = "succeeded";

    /// <summary>Given up.</summary>
    public const string Failed = "failed";

    /// <summary>Not sent any more: its endpoint was disabled when it was due.</summary>
    public const string Dropped = "dropped";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } = [Pending, Succeeded, Failed, Dropped];
}
