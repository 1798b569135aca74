namespace Condense.Pipeline.Recipes;

/// <summary>What a target counts.</summary>
public enum TargetKind
{
    /// <summary>Whole-file bytes before ÷ whole-file bytes after, graph included: at least the value.</summary>
    Ratio,

    /// <summary>Whole-file bytes after: at most the value.</summary>
    Bytes,

    /// <summary>Numbers of all compressible weights before ÷ numbers stored for them after, as papers count: at least the value.</summary>
    ParameterRatio,

    /// <summary>All stored bits ÷ weights, over the compressible weights: at most the value.</summary>
    BitsPerWeight,
}
