using System.Collections.Immutable;

namespace Condense.Pipeline.Stages;

/// <summary>What will be done with each layer.</summary>
/// <param name="Candidates">One per layer.</param>
/// <param name="Analyses">What is known of each layer; null where nothing had to be measured.</param>
internal sealed record RunPlan(ImmutableArray<Candidate> Candidates, ImmutableArray<LayerAnalysis?> Analyses);
