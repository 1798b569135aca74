using Condense.Models.Graph;

namespace Condense.Models.Rewriting.Onnx;

/// <summary>The layers to replace, found again by name from any graph that sees them, with where each is needed.</summary>
internal sealed class PlannedLayers
{
    private readonly Dictionary<(ModelGraph Graph, string Name), LayerPlan> _plans = [];
    private readonly HashSet<(ModelGraph Graph, string Name)> _hidden = [];
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly Dictionary<ModelGraph, (ModelGraph Graph, int Node)> _owners = [];

    /// <summary>Finds every use of the layers. O(nodes), times the depth of nesting for uses in subgraphs.</summary>
    /// <param name="program">The original.</param>
    /// <param name="layers">The layers to replace.</param>
    /// <exception cref="ArgumentException">A layer is not one of this program, or two are the same weight.</exception>
    public PlannedLayers(GraphProgram program, IReadOnlyList<CompressedLayer> layers)
    {
        foreach (var layer in layers)
        {
            var plan = new LayerPlan(layer);
            if (layer.Layer.Scope is not { } scope || !_plans.TryAdd((scope, plan.ValueName), plan))
            {
                throw new ArgumentException($"Layer '{layer.Layer.Name}' is not of this model, or its weight is replaced twice.", nameof(layers));
            }

            _names.Add(plan.ValueName);
        }

        var graphs = program.AllGraphs().ToList();
        graphs.ForEach(FindOwnersAndHidden);
        graphs.ForEach(FindUses);
        CheckPresent(graphs);
    }

    /// <summary>The layer that a name means in a graph, or null.</summary>
    /// <param name="name">A value's name.</param>
    /// <param name="graph">A graph of the original.</param>
    public LayerPlan? Find(string name, ModelGraph graph)
    {
        if (!_names.Contains(name))
        {
            return null;
        }

        for (var scope = graph; ; scope = _owners[scope].Graph)
        {
            if (_plans.TryGetValue((scope, name), out var plan))
            {
                return plan;
            }

            if (_hidden.Contains((scope, name)) || !_owners.ContainsKey(scope))
            {
                return null;
            }
        }
    }

    /// <summary>The layer that a graph itself holds under a name, or null.</summary>
    /// <param name="name">A value's name.</param>
    /// <param name="graph">A graph of the original.</param>
    public LayerPlan? Held(string name, ModelGraph graph) => _plans.GetValueOrDefault((graph, name));

    private void FindOwnersAndHidden(ModelGraph graph)
    {
        var defined = graph.Initializers.Select(initializer => initializer.Tensor.Name).Concat(graph.Inputs.Select(input => input.Name));
        foreach (string name in defined.Where(_names.Contains))
        {
            _hidden.Add((graph, name));
        }

        for (int i = 0; i < graph.Nodes.Count; i++)
        {
            foreach (string name in graph.Nodes[i].Outputs.Where(_names.Contains))
            {
                _hidden.Add((graph, name));
            }

            foreach (var subgraph in graph.Nodes[i].Attributes.SelectMany(attribute => attribute.Graphs))
            {
                _owners[subgraph] = (graph, i);
            }
        }
    }

    private void FindUses(ModelGraph graph)
    {
        for (int i = 0; i < graph.Nodes.Count; i++)
        {
            var node = graph.Nodes[i];
            if ((node.Is("MatMul") || node.Is("Gemm")) && Find(node.Inputs[0], graph) is { } first && Find(node.Inputs[1], graph) is { } second)
            {
                first.MeetsAnother = true;
                second.MeetsAnother = true;
            }

            for (int input = 0; input < node.Inputs.Count; input++)
            {
                if (Find(node.Inputs[input], graph) is { } plan)
                {
                    var kind = WeightSupport.KindOf(node, input, plan.Layer.Tensor);
                    plan.Gathered |= kind == ConsumerKind.Gather;
                    if (!plan.Rewrites(kind))
                    {
                        NeedsWhole(plan, graph, i);
                    }
                }
            }
        }

        foreach (var output in graph.Outputs)
        {
            if (Find(output.Name, graph) is { } plan)
            {
                NeedsWhole(plan, graph, graph.Nodes.Count);
            }
        }
    }

    private void NeedsWhole(LayerPlan plan, ModelGraph graph, int node)
    {
        if (plan.IsPlain)
        {
            return;
        }

        if (plan.HasFactors)
        {
            throw new ArgumentException($"Layer '{plan.Layer.Name}' is needed whole by '{Describe(graph, node)}': factors can't take its place.", nameof(plan));
        }

        while (graph != plan.Layer.Scope)
        {
            (graph, node) = _owners[graph];
        }

        plan.DecodeAt = plan.DecodeAt == LayerPlan.Nowhere ? node : Math.Min(plan.DecodeAt, node);
    }

    private static string Describe(ModelGraph graph, int node)
        => node == graph.Nodes.Count ? "the graph's outputs" : graph.Nodes[node].Name is { Length: > 0 } name ? name : graph.Nodes[node].OpType;

    private void CheckPresent(List<ModelGraph> graphs)
    {
        var known = graphs.ToHashSet();
        foreach (var ((scope, name), plan) in _plans)
        {
            bool present = known.Contains(scope) && (plan.Layer.Constant is { } constant
                ? scope.Nodes.Contains(constant)
                : scope.Initializers.Exists(initializer => string.Equals(initializer.Tensor.Name, name, StringComparison.Ordinal)));
            if (!present)
            {
                throw new ArgumentException($"Layer '{plan.Layer.Name}' is not of this model.", nameof(graphs));
            }
        }
    }
}
