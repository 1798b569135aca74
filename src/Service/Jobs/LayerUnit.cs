namespace Condense.Service.Jobs;

/// <summary>A row of the table <c>layer_unit</c>: one layer of one stage of an attempt, which any worker of the cluster may take.</summary>
internal sealed class LayerUnit
{
    /// <summary>The job.</summary>
    public required string JobId { get; init; }

    /// <summary>The fencing token of the attempt that shares its work.</summary>
    public required int Token { get; init; }

    /// <summary>The stage: <c>analysing</c> or <c>compressing</c>.</summary>
    public required string Stage { get; init; }

    /// <summary>The layer's number.</summary>
    public required int Layer { get; init; }

    /// <summary>What it is likely to cost, in an arbitrary unit: dear ones go first.</summary>
    public required double Cost { get; init; }

    /// <summary>Who has taken it; null while nobody has.</summary>
    public string? Worker { get; set; }

    /// <summary>Until when it is taken, milliseconds since 1970 by the database's clock.</summary>
    public long LeaseUntil { get; set; }

    /// <summary>Whether its piece is stored.</summary>
    public bool IsDone { get; set; }
}
