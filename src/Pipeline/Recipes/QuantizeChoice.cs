using Condense.Engine.Structures;

namespace Condense.Pipeline.Recipes;

/// <summary>Settings of <see cref="MethodNames.Quantize"/>.</summary>
internal sealed record QuantizeChoice : MethodSettings
{
    /// <summary>Bits of a code.</summary>
    public int CodeBits { get; init; } = 8;

    /// <summary>Whether codes are signed around 0.</summary>
    public bool Symmetric { get; init; } = true;

    /// <summary>What shares a scale; null: rows, or groups where a size is given; the planner's choice with a target.</summary>
    public QuantizationGranularity? Granularity { get; init; }

    /// <summary>Entries of a row that share a scale.</summary>
    public int? GroupSize { get; init; }

    /// <inheritdoc/>
    protected override void Check(string pointer, ICollection<RecipeProblem> problems)
    {
        if (CodeBits != 8)
        {
            problems.Add(new RecipeProblem($"{pointer}/codeBits", $"A code has 8 bits in this version, not {CodeBits}."));
        }

        if (GroupSize < 2)
        {
            problems.Add(new RecipeProblem($"{pointer}/groupSize", $"The group size is {GroupSize}; it must be at least 2."));
        }

        if (GroupSize is not null && Granularity is not (null or QuantizationGranularity.PerGroup))
        {
            problems.Add(new RecipeProblem($"{pointer}/groupSize", "A group size goes with the granularity perGroup alone."));
        }
    }
}
