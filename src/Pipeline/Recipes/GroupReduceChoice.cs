using Condense.Engine.Methods;

namespace Condense.Pipeline.Recipes;

/// <summary>Settings of <see cref="MethodNames.GroupReduce"/>.</summary>
internal sealed record GroupReduceChoice : MethodSettings
{
    private const int MaxBlocks = 256;
    private const int MaxRounds = 50;

    /// <summary>Groups of rows; null: by the size of the table.</summary>
    public int? Blocks { get; init; }

    /// <summary>How ranks are found.</summary>
    public RankRule Ranks { get; init; } = RankRule.WaterFilled;

    /// <summary>The most rounds of refinement; null: 10, or 0 where a target is to be met and no order of rows has to be stored otherwise.</summary>
    public int? RefinementRounds { get; init; }

    /// <summary>Numbers before ÷ numbers after; null: the planner's choice, or 4 without a target.</summary>
    public double? ParameterRatio { get; init; }

    /// <summary>Bits of a factor's entry; null: the planner's choice, or 32 without a target.</summary>
    public int? FactorBits { get; init; }

    /// <inheritdoc/>
    protected override void Check(string pointer, ICollection<RecipeProblem> problems)
    {
        if (Blocks is < 1 or > MaxBlocks)
        {
            problems.Add(new RecipeProblem($"{pointer}/blocks", $"There are {Blocks} blocks; it must be 1 … {MaxBlocks}."));
        }

        if (RefinementRounds is < 0 or > MaxRounds)
        {
            problems.Add(new RecipeProblem($"{pointer}/refinementRounds", $"There are {RefinementRounds} rounds; it must be 0 … {MaxRounds}."));
        }

        if (ParameterRatio is { } ratio && !(ratio > 1 && double.IsFinite(ratio)))
        {
            problems.Add(new RecipeProblem($"{pointer}/parameterRatio", $"The ratio is {ratio}; it must be above 1."));
        }

        if (FactorBits is not (null or 8 or 16 or 32))
        {
            problems.Add(new RecipeProblem($"{pointer}/factorBits", $"A factor has 8, 16 or 32 bits, not {FactorBits}."));
        }
    }
}
