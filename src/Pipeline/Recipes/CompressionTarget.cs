namespace Condense.Pipeline.Recipes;

/// <summary>How small the model must become.</summary>
/// <param name="Kind">What is counted.</param>
/// <param name="Value">How much; finite and positive.</param>
public sealed record CompressionTarget(TargetKind Kind, double Value);
