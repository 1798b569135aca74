namespace Condense.Engine.Methods;

/// <summary>How the blocks of rows share the budget.</summary>
public enum RankRule
{
    /// <summary>Ranks in proportion to the mean weight of the blocks' rows (Chen et al., GroupReduce, 2018, section 3.3); the blocks are of equal height.</summary>
    Paper,

    /// <summary>
    /// The ranks of least error: singular components over all blocks in the order of what they save for their cost. The blocks' heights grow from the
    /// most frequent rows to the rarest.
    /// </summary>
    WaterFilled,
}
