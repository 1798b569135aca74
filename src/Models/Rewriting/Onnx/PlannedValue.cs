using Condense.Models.Graph;

namespace Condense.Models.Rewriting.Onnx;

/// <summary>A value that stands for a layer's weight.</summary>
/// <param name="Plan">The layer.</param>
/// <param name="Place">What became of the weight there.</param>
/// <param name="Passage">The node that made it; null for the weight itself.</param>
internal sealed record PlannedValue(LayerPlan Plan, WeightPlace Place, WeightPassage? Passage);
