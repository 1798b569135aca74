using System.Collections.Immutable;
using Condense.Models.Tensors;

namespace Condense.Models.Graph;

/// <summary>Finds the weights of a program and follows them to their consumers.</summary>
internal sealed class ProgramLayers(GraphProgram program)
{
    private readonly List<Found> _found = [];

    // What each name of a graph stands for: a weight, or null for any other value, which hides a weight of that name further out.
    private readonly Dictionary<ModelGraph, Dictionary<string, Alias?>> _scopes = new(ReferenceEqualityComparer.Instance);
    private readonly GraphConstants _constants = new(program);

    internal ImmutableArray<Layer> Find()
    {
        // Parents come first, so what a subgraph takes from around it is known.
        foreach (var graph in program.AllGraphs())
        {
            Define(graph);
            Follow(graph);
        }

        var projections = new Projections(OutputProjections.Of(program.Main), AttentionProjections());
        var names = new LayerNames();
        foreach (var found in _found.Where(found => found.Constant is null || !found.Quantized.IsEmpty))
        {
            // Codes have a name of their own, whether they are an initializer or stand in a Constant node.
            found.Name = names.Take(found.Constant?.Inputs[0] ?? found.Tensor.Name);
        }

        foreach (var found in _found.Where(found => found.Constant is not null && found.Quantized.IsEmpty))
        {
            found.Name = names.Take(NameOf(found));
        }

        return [.. _found.Select(found => ToLayer(found, projections))];
    }

    private HashSet<Node> AttentionProjections()
    {
        var all = new HashSet<Node>(ReferenceEqualityComparer.Instance);
        foreach (var graph in _scopes.Keys)
        {
            all.UnionWith(AttentionProducts.Of(graph, name => Resolve(graph, name) is not null));
        }

        return all;
    }

    private void Define(ModelGraph graph)
    {
        var scope = new Dictionary<string, Alias?>(StringComparer.Ordinal);
        _scopes.Add(graph, scope);
        _constants.Add(graph);
        foreach (var input in graph.Inputs)
        {
            scope[input.Name] = null;
        }

        foreach (var initializer in graph.Initializers)
        {
            scope[initializer.Tensor.Name] = null;
        }

        foreach (var node in graph.Nodes)
        {
            foreach (string output in node.Outputs)
            {
                scope[output] = null;
            }

            if (ConstantOf(node) is { } tensor)
            {
                scope[node.Outputs[0]] = Add(graph, tensor, node, []);
            }
            else if (QuantizedWeight.Of(node, graph, _constants) is { } quantized)
            {
                scope[node.Outputs[0]] = Add(graph, quantized.Weight, node, quantized.Stored);
            }
        }

        // A weight that may be overridden stays what the file says: a structure in its place would take the input away.
        var overridden = program.HasDefaults ? graph.Inputs.Select(input => input.Name).ToHashSet(StringComparer.Ordinal) : [];
        foreach (var initializer in graph.Initializers.Where(initializer => LayerFinder.IsWeight(initializer.Tensor) && !overridden.Contains(initializer.Tensor.Name)))
        {
            scope[initializer.Tensor.Name] = Add(graph, initializer.Tensor, constant: null, []);
        }
    }

    private Alias Add(ModelGraph graph, Tensor tensor, Node? constant, ImmutableArray<Tensor> quantized)
    {
        var found = new Found(graph, tensor, constant) { Quantized = quantized };
        _found.Add(found);
        return new(found, Direct: true, WeightPlace.Of(tensor));
    }

    private void Follow(ModelGraph graph)
    {
        var scope = _scopes[graph];
        foreach (var node in graph.Nodes)
        {
            for (int i = 0; i < node.Inputs.Count; i++)
            {
                if (Resolve(graph, node.Inputs[i]) is not { } alias)
                {
                    continue;
                }

                if (alias.Direct)
                {
                    alias.Found.Uses.Add(new(graph, node, i));
                }

                if (i == 0 && WeightPassing.Through(node, alias.Place, name => _constants.Numbers(name, graph)) is { } place)
                {
                    scope[node.Outputs[0]] = new Alias(alias.Found, Direct: false, place);
                    alias.Found.Passages.Add(new(graph, node, place));
                }
                else
                {
                    alias.Found.Ends.Add(new(new(graph, node, i), alias.Place));
                    alias.Found.See(node, i, alias.Place);
                }
            }
        }

        foreach (var output in graph.Outputs)
        {
            if (Resolve(graph, output.Name) is { } alias)
            {
                alias.Found.IsOutput = true;
            }
        }
    }

    private Alias? Resolve(ModelGraph graph, string name)
    {
        // An empty name is an input that is left out.
        for (var scope = name.Length == 0 ? null : graph; scope is not null; scope = scope.Parent)
        {
            if (_scopes[scope].TryGetValue(name, out var alias))
            {
                return alias;
            }
        }

        return null;
    }

    private static Tensor? ConstantOf(Node node) =>
        node.Is("Constant") && node.Outputs.Count == 1 && node.Attribute("value") is { Tensors: [var value] } && LayerFinder.IsWeight(value.Tensor)
            ? value.Tensor
            : null;

    private static string NameOf(Found found)
    {
        if (found.Uses is not [var first, ..])
        {
            return found.Constant!.Outputs[0];
        }

        string consumer = first.Node.Name.Length > 0 ? first.Node.Name : first.Node.Outputs.Find(output => output.Length > 0) ?? first.Node.OpType;
        return $"{consumer}/{first.Input}";
    }

    private static Layer ToLayer(Found found, Projections projections)
    {
        var view = found.Consumer is null ? WeightView.Of(WeightRole.Other, found.Tensor.Shape) : found.View;
        var role = view.Role;
        if (role == WeightRole.Linear && found.Consumer is { } consumer)
        {
            role = projections.Last.Contains(consumer) ? WeightRole.Softmax
                : projections.Attention.Contains(consumer) || WeightNames.IsAttention(found.Name) || WeightNames.IsAttention(consumer.Name) ? WeightRole.Attention
                : role;
        }

        return new Layer
        {
            Name = found.Name,
            Tensor = found.Tensor,
            Role = role,
            Operator = (found.Consumer ?? found.Uses.FirstOrDefault()?.Node)?.OpType,
            Rows = view.Rows,
            Columns = view.Columns,
            Transposed = view.Transposed,
            Scope = found.Scope,
            Constant = found.Constant,
            Quantized = found.Quantized,
            Uses = [.. found.Uses],
            Ends = [.. found.Ends],
            Passages = [.. found.Passages],
            IsOutput = found.IsOutput,
        };
    }

    /// <summary>What a value stands for.</summary>
    /// <param name="Found">The weight.</param>
    /// <param name="Direct">Whether it is the weight itself and not a value behind another node.</param>
    /// <param name="Place">What became of the weight there.</param>
    private sealed record Alias(Found Found, bool Direct, WeightPlace Place);

    /// <summary>Products that are more than a product.</summary>
    /// <param name="Last">Those at the end of the model.</param>
    /// <param name="Attention">Those of attention.</param>
    private sealed record Projections(IReadOnlySet<Node> Last, IReadOnlySet<Node> Attention);

    private sealed class Found(ModelGraph scope, Tensor tensor, Node? constant)
    {
        internal ModelGraph Scope => scope;

        internal Tensor Tensor => tensor;

        internal Node? Constant => constant;

        internal required ImmutableArray<Tensor> Quantized { get; init; }

        internal List<WeightUse> Uses { get; } = [];

        internal List<WeightEnd> Ends { get; } = [];

        internal List<WeightPassage> Passages { get; } = [];

        internal bool IsOutput { get; set; }

        internal string Name { get; set; } = "";

        internal Node? Consumer { get; private set; }

        internal WeightView View { get; private set; }

        internal void See(Node node, int input, WeightPlace place)
        {
            if (Consumer is not null && View.Role == WeightRole.Embedding)
            {
                return;
            }

            var view = WeightView.Of(node, input, place, tensor.Shape);
            if (Consumer is null || view.Role == WeightRole.Embedding)
            {
                Consumer = node;
                View = view;
            }
        }
    }
}
