namespace Condense.Engine.Planning;

/// <summary>One thing that can be done with a weight: what it costs and what it loses.</summary>
/// <param name="Cost">What the budget counts (bytes, bits or stored numbers), ≥ 0.</param>
/// <param name="Loss">The loss in the currency that all weights share, ≥ 0.</param>
public readonly record struct PlanPoint(long Cost, double Loss);
