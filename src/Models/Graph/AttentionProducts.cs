namespace Condense.Models.Graph;

/// <summary>
/// Finds the projections of attention by the shape of the graph: products whose results meet in a product that goes through a Softmax into another
/// product (query, key), the other input of that one (value), and the first product behind it (output). Names do not matter.
/// </summary>
internal static class AttentionProducts
{
    // What stands between a projection and the product of attention: it moves numbers, scales them, or adds a bias or a position.
    private static readonly HashSet<string> s_shaping = new(StringComparer.Ordinal)
    {
        "Add", "Cast", "Concat", "Div", "Dropout", "Expand", "Flatten", "Gather", "Identity", "Mul", "Neg", "Pad", "Reshape", "Slice", "Split", "Squeeze", "Sub",
        "Transpose", "Unsqueeze",
    };

    // What stands around the Softmax: scales, masks, and a change of shape.
    private static readonly HashSet<string> s_scoring = new(StringComparer.Ordinal)
    {
        "Add", "Cast", "Div", "Dropout", "Identity", "Mul", "Reshape", "Sub", "Transpose", "Where",
    };

    /// <summary>The projections of one graph, subgraphs not among them. Four passes over its nodes: O(nodes).</summary>
    /// <param name="graph">The graph; its nodes in order of execution.</param>
    /// <param name="isWeight">Whether a name of the graph is that of a weight.</param>
    internal static IReadOnlySet<Node> Of(ModelGraph graph, Func<string, bool> isWeight)
    {
        var found = new HashSet<Node>(ReferenceEqualityComparer.Instance);
        if (!graph.Nodes.Exists(node => node.Is("Softmax")))
        {
            return found;
        }

        // Forwards from each Softmax to the product with the values; the products in between the two are no projections.
        var weights = new HashSet<string>(StringComparer.Ordinal);
        var contexts = new HashSet<Node>(ReferenceEqualityComparer.Instance);
        foreach (var node in graph.Nodes)
        {
            if (IsOwnProduct(node) && node.Inputs.Exists(weights.Contains))
            {
                contexts.Add(node);
            }
            else if (node.Is("Softmax") || (Passes(node, s_scoring) && node.Inputs.Exists(weights.Contains)))
            {
                weights.UnionWith(node.Outputs);
            }
        }

        var scores = new HashSet<Node>(ReferenceEqualityComparer.Instance);
        var scored = new HashSet<string>(StringComparer.Ordinal);
        foreach (var node in graph.Nodes.AsEnumerable().Reverse())
        {
            if (contexts.Contains(node))
            {
                scored.UnionWith(node.Inputs.Where(weights.Contains));
            }
            else if (node.Outputs.Exists(scored.Contains))
            {
                if (IsOwnProduct(node))
                {
                    scores.Add(node);
                }
                else if (node.Is("Softmax") || Passes(node, s_scoring))
                {
                    scored.UnionWith(node.Inputs);
                }
            }
        }

        AddSources(graph, scores, contexts, weights, found, isWeight);
        AddOutputs(graph, contexts, found, isWeight);
        return found;

        bool IsOwnProduct(Node node) => node.Is("MatMul") && !node.Inputs.Exists(name => isWeight(name));
    }

    // Backwards from both inputs of the scores, and from the values, to the products with weights.
    private static void AddSources(
        ModelGraph graph, HashSet<Node> scores, HashSet<Node> contexts, HashSet<string> weights, HashSet<Node> found, Func<string, bool> isWeight)
    {
        var wanted = new HashSet<string>(StringComparer.Ordinal);
        foreach (var node in graph.Nodes.AsEnumerable().Reverse())
        {
            bool leads = node.Outputs.Exists(wanted.Contains);
            if (scores.Contains(node))
            {
                wanted.UnionWith(node.Inputs);
            }
            else if (contexts.Contains(node))
            {
                wanted.UnionWith(node.Inputs.Where(name => !weights.Contains(name)));
            }
            else if (leads && IsProjection(node, isWeight))
            {
                found.Add(node);
            }
            else if (leads && Passes(node, s_shaping))
            {
                wanted.UnionWith(node.Inputs);
            }
        }
    }

    // Forwards from what the values were mixed to.
    private static void AddOutputs(ModelGraph graph, HashSet<Node> contexts, HashSet<Node> found, Func<string, bool> isWeight)
    {
        var mixed = new HashSet<string>(StringComparer.Ordinal);
        foreach (var node in graph.Nodes)
        {
            bool follows = node.Inputs.Exists(mixed.Contains);
            if (contexts.Contains(node))
            {
                mixed.UnionWith(node.Outputs);
            }
            else if (follows && IsProjection(node, isWeight))
            {
                found.Add(node);
            }
            else if (follows && node.Inputs.Count > 0 && mixed.Contains(node.Inputs[0]) && Moves(node))
            {
                mixed.UnionWith(node.Outputs);
            }
        }
    }

    private static bool IsProjection(Node node, Func<string, bool> isWeight) => (node.Is("MatMul") || node.Is("Gemm")) && node.Inputs.Take(2).Any(isWeight);

    private static bool Passes(Node node, HashSet<string> operators) => node.Domain is "" or "ai.onnx" && operators.Contains(node.OpType);

    // Behind the mix only shapes change; an addition there is the residual's, behind which everything follows.
    private static bool Moves(Node node) => Passes(node, s_shaping) && node.OpType is not ("Add" or "Sub" or "Mul" or "Div" or "Concat" or "Gather" or "Pad");
}
