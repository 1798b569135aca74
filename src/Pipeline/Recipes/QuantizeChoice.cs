using Condense.Engine.Methods;
using Condense.Engine.Structures;

namespace Condense.Pipeline.Recipes;

/// <summary>Settings of <see cref="MethodNames.Quantize"/>.</summary>
internal sealed record QuantizeChoice : MethodSettings
{
    /// <summary>Bits of a code; null: 8, or the planner's choice with a target.</summary>
    public int? CodeBits { get; init; }

    /// <summary>Whether codes are signed around 0; null: yes, or the planner's choice with a target.</summary>
    public bool? Symmetric { get; init; }

    /// <summary>What shares a scale; null: rows, or groups where a size is given; the planner's choice with a target.</summary>
    public QuantizationGranularity? Granularity { get; init; }

    /// <summary>Entries of a row that share a scale.</summary>
    public int? GroupSize { get; init; }

    /// <summary>How ranges are clipped; null: to the least squared error below 8 bits, else not.</summary>
    public ClippingChoice? Clipping { get; init; }

    /// <summary>The clipping in the engine's words.</summary>
    public RangeClipping? RangeClipping => Clipping switch
    {
        null => null,
        ClippingChoice.Mse => Engine.Methods.RangeClipping.LeastSquares,
        _ => Engine.Methods.RangeClipping.None,
    };

    /// <inheritdoc/>
    protected override void Check(string pointer, ICollection<RecipeProblem> problems)
    {
        if (CodeBits is not (null or 2 or 3 or 4 or 5 or 6 or 8))
        {
            problems.Add(new RecipeProblem($"{pointer}/codeBits", $"A code has 2, 3, 4, 5, 6 or 8 bits, not {CodeBits}."));
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
