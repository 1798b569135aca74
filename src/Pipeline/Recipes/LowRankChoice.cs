namespace Condense.Pipeline.Recipes;

/// <summary>Settings of <see cref="MethodNames.LowRank"/>.</summary>
internal sealed record LowRankChoice : MethodSettings
{
    /// <summary>The inner dimension; null: from the ratio.</summary>
    public int? Rank { get; init; }

    /// <summary>Numbers before ÷ numbers after, when the rank is absent; null: the planner's choice, or 4 without a target.</summary>
    public double? ParameterRatio { get; init; }

    /// <summary>Bits of a factor's entry; null: the planner's choice, or 32 without a target.</summary>
    public int? FactorBits { get; init; }

    /// <inheritdoc/>
    protected override void Check(string pointer, ICollection<RecipeProblem> problems)
    {
        if (Rank < 1)
        {
            problems.Add(new RecipeProblem($"{pointer}/rank", $"The rank is {Rank}; it must be at least 1."));
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
