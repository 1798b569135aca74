namespace Condense.Pipeline.Recipes;

/// <summary>Settings of <see cref="MethodNames.Mixed"/>.</summary>
internal sealed record MixedChoice : MethodSettings
{
    /// <summary>Leading rows in the wider format; null: half of them, or the planner's choice with a target.</summary>
    public int? WideRows { get; init; }

    /// <summary>Bits of an entry of those rows: 8, 16 or 32.</summary>
    public int WideBits { get; init; } = 16;

    /// <summary>Bits of an entry of the other rows: 4, 8 or 16.</summary>
    public int NarrowBits { get; init; } = 8;

    /// <inheritdoc/>
    protected override void Check(string pointer, ICollection<RecipeProblem> problems)
    {
        if (WideRows < 1)
        {
            problems.Add(new RecipeProblem($"{pointer}/wideRows", $"There are {WideRows} wide rows; give at least 1."));
        }

        if (WideBits is not (8 or 16 or 32) || NarrowBits is not (4 or 8 or 16) || NarrowBits >= WideBits)
        {
            problems.Add(new RecipeProblem($"{pointer}/narrowBits", $"Rows of {WideBits} and {NarrowBits} bits do not mix: 32 with 16, 8 or 4, 16 with 8 or 4, or 8 with 4."));
        }
    }
}
