namespace Condense.Pipeline.Stages;

/// <summary>A layer of a stage that others may take.</summary>
/// <param name="Layer">Its number.</param>
/// <param name="Cost">What it is likely to cost, as <c>LayerCost</c> counts.</param>
public sealed record SharedLayer(int Layer, double Cost);
