namespace Condense.Pipeline.Stages;

/// <summary>Where a run is.</summary>
public enum Stage
{
    /// <summary>Reading the model's structure.</summary>
    Loading,

    /// <summary>Measuring what each method would cost and lose, layer by layer.</summary>
    Analysing,

    /// <summary>Choosing a method for every layer.</summary>
    Planning,

    /// <summary>Compressing layer by layer.</summary>
    Compressing,

    /// <summary>Writing the file.</summary>
    Packaging,

    /// <summary>Reading the file back and measuring what was lost.</summary>
    Verifying,
}
