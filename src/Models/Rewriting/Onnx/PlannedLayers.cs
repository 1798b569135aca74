using Condense.Models.Graph;

namespace Condense.Models.Rewriting.Onnx;

/// <summary>The layers to replace, found again by name from any graph that sees them, with where each is needed.</summary>
internal sealed class PlannedLayers
{
    private readonly Dictionary<(ModelGraph Graph, string Name), LayerPlan> _plans = [];

    // What else names stand for: values behind nodes that shape, turn or cast a weight. Those nodes, whether anything still needs what they make.
    private readonly Dictionary<(ModelGraph Graph, string Name), PlannedValue> _values = [];
    private readonly Dictionary<Node, bool> _passages = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<string> _unused = new(StringComparer.Ordinal);
    private readonly Dictionary<Node, int> _indices = new(ReferenceEqualityComparer.Instance);
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

            Add(scope, plan.ValueName, new PlannedValue(plan, WeightPlace.Of(plan.Layer.Tensor), null));
            foreach (var passage in layer.Layer.Passages)
            {
                plan.DecodesSimply = true;
                _passages.Add(passage.Node, false);
                Add(passage.Scope, passage.Node.Outputs[0], new PlannedValue(plan, passage.Place, passage));
            }
        }

        var graphs = program.AllGraphs().ToList();
        graphs.ForEach(FindOwnersAndHidden);
        graphs.ForEach(FindUses);
        FindUnused(graphs);
        CheckPresent(graphs);
    }

    /// <summary>The weight, or what became of it, that a name means in a graph; null for any other value.</summary>
    /// <param name="name">A value's name.</param>
    /// <param name="graph">A graph of the original.</param>
    public PlannedValue? Find(string name, ModelGraph graph)
    {
        if (!_names.Contains(name))
        {
            return null;
        }

        for (var scope = graph; ; scope = _owners[scope].Graph)
        {
            if (_values.TryGetValue((scope, name), out var value))
            {
                return value;
            }

            if (_hidden.Contains((scope, name)) || !_owners.ContainsKey(scope))
            {
                return null;
            }
        }
    }

    /// <summary>Whether a node has nothing left to do: it shaped, turned or cast a weight for consumers that now take the structure.</summary>
    /// <param name="node">A node of the original.</param>
    public bool IsIdle(Node node) => _passages.TryGetValue(node, out bool needed) && !needed;

    /// <summary>Whether only nodes that are left out used a name: the shape that one of them asked for, codes that a structure stands for.</summary>
    /// <param name="name">A constant's name.</param>
    public bool IsUnused(string name) => _unused.Contains(name);

    /// <summary>Whether a value of a graph exists no longer.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="graph">A graph of the original.</param>
    public bool IsGone(string name, ModelGraph graph) => IsUnused(name) || (_values.TryGetValue((graph, name), out var value)
        && (value.Passage is { } passage ? IsIdle(passage.Node) : value.Plan is { IsPlain: false, DecodeAt: LayerPlan.Nowhere }));

    /// <summary>The layer that a graph itself holds under a name, or null.</summary>
    /// <param name="name">A value's name.</param>
    /// <param name="graph">A graph of the original.</param>
    public LayerPlan? Held(string name, ModelGraph graph) => _plans.GetValueOrDefault((graph, name));

    private void Add(ModelGraph scope, string name, PlannedValue value)
    {
        _values.Add((scope, name), value);
        _names.Add(name);
    }

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

            if (_passages.ContainsKey(graph.Nodes[i]))
            {
                _indices[graph.Nodes[i]] = i;
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
            if ((node.Is("MatMul") || node.Is("Gemm")) && node.Inputs is [var left, var right, ..] && Find(left, graph) is { } first && Find(right, graph) is { } second)
            {
                first.Plan.DecodesSimply = true;
                second.Plan.DecodesSimply = true;
            }

            for (int input = 0; input < node.Inputs.Count; input++)
            {
                if (Find(node.Inputs[input], graph) is { } value && !(input == 0 && _passages.ContainsKey(node)))
                {
                    FindUse(value, graph, i, input);
                }
            }
        }

        foreach (var output in graph.Outputs)
        {
            if (Find(output.Name, graph) is { } value)
            {
                Need(value, graph, graph.Nodes.Count);
            }
        }
    }

    private void FindUse(PlannedValue value, ModelGraph graph, int node, int input)
    {
        var plan = value.Plan;
        var kind = WeightSupport.KindOf(graph.Nodes[node], input, value.Place, plan.Layer);
        plan.DecodesSimply |= kind == ConsumerKind.RecurrentInput ? plan.Rewrites(kind) : graph.Nodes[node].Is("Transpose");
        plan.Gathered |= kind == ConsumerKind.Gather;
        if (!plan.Rewrites(kind))
        {
            Need(value, graph, node);
        }
        else if (kind is ConsumerKind.Conv or ConsumerKind.RecurrentInput)
        {
            plan.Kernels ??= (kind, value.Place.Shape);
        }
    }

    private void FindUnused(List<ModelGraph> graphs)
    {
        // Codes that a DequantizeLinear has widened go with it.
        var replaced = _plans.Values.Select(plan => plan.Layer.Constant).OfType<Node>().ToHashSet<Node>(ReferenceEqualityComparer.Instance);
        _unused.UnionWith(_passages.Where(pair => !pair.Value).SelectMany(pair => pair.Key.Inputs.Skip(1)));
        _unused.UnionWith(replaced.SelectMany(node => node.Inputs));
        if (_unused.Count > 0)
        {
            _unused.ExceptWith(graphs.SelectMany(graph => graph.Nodes).Where(node => !IsIdle(node) && !replaced.Contains(node)).SelectMany(node => node.Inputs));
            _unused.ExceptWith(graphs.SelectMany(graph => graph.Outputs).Select(output => output.Name));
        }
    }

    // A value that is needed as it is keeps the node that makes it, and that one what goes into it.
    private void Need(PlannedValue value, ModelGraph graph, int node)
    {
        while (value.Passage is { } passage)
        {
            if (_passages[passage.Node])
            {
                return;
            }

            _passages[passage.Node] = true;
            (graph, node) = (passage.Scope, _indices[passage.Node]);
            value = Find(passage.Node.Inputs[0], graph)!;
        }

        NeedsWhole(value.Plan, graph, node);
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
        // Every graph is gone through once, however many layers it has.
        var constants = _plans.Values.Select(plan => plan.Layer.Constant).OfType<Node>().ToHashSet<Node>(ReferenceEqualityComparer.Instance);
        var nodes = graphs.SelectMany(graph => graph.Nodes.Where(constants.Contains).Select(node => (graph, node))).ToHashSet();
        var initializers = graphs.SelectMany(graph => graph.Initializers.Select(initializer => (graph, initializer.Tensor.Name))).Where(_plans.ContainsKey).ToHashSet();
        foreach (var ((scope, name), plan) in _plans)
        {
            if (!(plan.Layer.Constant is { } constant ? nodes.Contains((scope, constant)) : initializers.Contains((scope, name))))
            {
                throw new ArgumentException($"Layer '{plan.Layer.Name}' is not of this model.", nameof(graphs));
            }
        }
    }
}
