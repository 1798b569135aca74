namespace Condense.Engine.Methods;

/// <summary>How <see cref="GroupReduce"/> cuts a weight and shares its budget out.</summary>
public sealed record GroupReduceSettings
{
    /// <summary>Blocks of rows, ≥ 1. Default 20; the paper's usual number is 5.</summary>
    public int Blocks { get; init; } = 20;

    /// <summary>How ranks are found. Default: by least error.</summary>
    public RankRule Ranks { get; init; } = RankRule.WaterFilled;

    /// <summary>The most rounds in which rows are moved to the block that serves them best, ≥ 0. Default 10.</summary>
    public int RefinementRounds { get; init; } = 10;

    /// <summary>How the blocks' numbers are stored. Default: floats of 32 bits.</summary>
    public BlockEntry Entry { get; init; }

    /// <summary>What the blocks may cost together.</summary>
    public required GroupBudget Budget { get; init; }
}
