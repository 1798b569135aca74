namespace Condense.Models.Graph;

/// <summary>Finds the products whose result becomes outputs of the model and nothing else: the last projections.</summary>
internal static class OutputProjections
{
    // What may stand between the last projection and an output: it changes numbers one by one, normalises, orders or shapes them.
    private static readonly HashSet<string> s_passing = new(StringComparer.Ordinal)
    {
        "Add", "ArgMax", "Cast", "Clip", "Div", "Exp", "Flatten", "Identity", "Log", "LogSoftmax", "Mul", "Neg", "Reshape", "Sigmoid", "Slice", "Softmax",
        "Squeeze", "Sub", "Tanh", "TopK", "Transpose", "Unsqueeze",
    };

    /// <summary>The products of a graph whose every way on ends in an output. O(nodes).</summary>
    /// <param name="graph">The main graph; its nodes in order of execution.</param>
    internal static IReadOnlySet<Node> Of(ModelGraph graph)
    {
        var outputs = graph.Outputs.Select(output => output.Name).ToHashSet(StringComparer.Ordinal);
        var passedOn = new HashSet<string>(StringComparer.Ordinal);
        var usedElsewhere = new HashSet<string>(StringComparer.Ordinal);
        var found = new HashSet<Node>(ReferenceEqualityComparer.Instance);
        foreach (var node in graph.Nodes.AsEnumerable().Reverse())
        {
            bool ends = node.Outputs.Exists(name => outputs.Contains(name) || passedOn.Contains(name)) && !node.Outputs.Exists(usedElsewhere.Contains);
            if (ends && (node.Is("MatMul") || node.Is("Gemm")))
            {
                found.Add(node);
            }

            bool passes = ends && node.Domain is "" or "ai.onnx" && s_passing.Contains(node.OpType);
            (passes ? passedOn : usedElsewhere).UnionWith(node.Inputs);
            usedElsewhere.UnionWith(TakenFromAround(node));
        }

        return found;
    }

    // Names that subgraphs of a node use; their own ones among them do no harm.
    private static IEnumerable<string> TakenFromAround(Node node)
    {
        var pending = new Stack<Node>([node]);
        while (pending.TryPop(out var holder))
        {
            foreach (var graph in holder.Attributes.SelectMany(attribute => attribute.Graphs))
            {
                foreach (var inner in graph.Nodes)
                {
                    pending.Push(inner);
                    foreach (string name in inner.Inputs)
                    {
                        yield return name;
                    }
                }
            }
        }
    }
}
