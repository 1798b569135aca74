using Condense.Engine.Structures;

namespace Condense.Engine.Methods;

/// <summary>What all blocks together may cost.</summary>
/// <param name="Limit">The most.</param>
/// <param name="CountsBits">True: stored bits, scales included. False: stored numbers, as papers count. The order of the rows is not counted in either.</param>
public readonly record struct GroupBudget(long Limit, bool CountsBits)
{
    /// <summary>What a block costs.</summary>
    /// <param name="form">The block's shape.</param>
    public long Cost(StructureForm form)
    {
        ArgumentNullException.ThrowIfNull(form);
        return CountsBits ? form.StorageBits : form.ParameterCount;
    }

    /// <summary>Factors for a block, or its own entries where the factors would cost as much.</summary>
    /// <param name="entry">How numbers are stored.</param>
    /// <param name="rows">Rows of the block.</param>
    /// <param name="columns">Its columns.</param>
    /// <param name="rank">The rank; less than 1 counts as 1.</param>
    public StructureForm Cheaper(BlockEntry entry, int rows, int columns, int rank)
    {
        if (rank < Math.Min(rows, columns))
        {
            var factors = entry.Factors(rows, columns, Math.Max(1, rank));
            if (Cost(factors) < Cost(entry.Whole(rows, columns)))
            {
                return factors;
            }
        }

        return entry.Whole(rows, columns);
    }
}
