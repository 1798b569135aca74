namespace Condense.Engine.Structures;

/// <summary>Which entries share one scale and zero point.</summary>
public enum QuantizationGranularity
{
    /// <summary>All of the matrix.</summary>
    PerTensor,

    /// <summary>A row.</summary>
    PerRow,

    /// <summary>A column.</summary>
    PerColumn,

    /// <summary>Runs of <c>GroupSize</c> entries of a row; the last run of a row may be short.</summary>
    PerGroup,
}
