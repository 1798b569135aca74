namespace Condense.Models.Graph;

/// <summary>A node that passes a weight on, and what comes out of it.</summary>
/// <param name="Scope">The graph that holds the node.</param>
/// <param name="Node">The node; the weight is its first input, the result its only output.</param>
/// <param name="Place">The result.</param>
internal sealed record WeightPassage(ModelGraph Scope, Node Node, WeightPlace Place);
