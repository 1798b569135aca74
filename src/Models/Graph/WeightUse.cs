namespace Condense.Models.Graph;

/// <summary>A place where a weight goes into a node.</summary>
/// <param name="Scope">The graph that holds the node.</param>
/// <param name="Node">The node.</param>
/// <param name="Input">The number of the input, from 0.</param>
public sealed record WeightUse(ModelGraph Scope, Node Node, int Input);
