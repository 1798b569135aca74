using System.Collections.Immutable;
using Condense.Models.Tensors;

namespace Condense.Models.Graph;

/// <summary>Finds the weights of a program and follows them to their consumers.</summary>
internal sealed class ProgramLayers(GraphProgram program)
{
    private readonly List<Found> _found = [];

    // What each name of a graph stands for: a weight, or null for any other value, which hides a weight of that name further out.
    private readonly Dictionary<ModelGraph, Dictionary<string, Alias?>> _scopes = new(ReferenceEqualityComparer.Instance);

    internal ImmutableArray<Layer> Find()
    {
        // Parents come first, so what a subgraph takes from around it is known.
        foreach (var graph in program.AllGraphs())
        {
            Define(graph);
            Follow(graph);
        }

        var endings = OutputProjections.Of(program.Main);
        var names = new LayerNames();
        foreach (var found in _found.Where(found => found.Constant is null))
        {
            found.Name = names.Take(found.Tensor.Name);
        }

        foreach (var found in _found.Where(found => found.Constant is not null))
        {
            found.Name = names.Take(NameOf(found));
        }

        return [.. _found.Select(found => ToLayer(found, endings))];
    }

    private void Define(ModelGraph graph)
    {
        var scope = new Dictionary<string, Alias?>(StringComparer.Ordinal);
        _scopes.Add(graph, scope);
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
                scope[node.Outputs[0]] = Add(graph, tensor, node);
            }
        }

        foreach (var initializer in graph.Initializers.Where(initializer => LayerFinder.IsWeight(initializer.Tensor)))
        {
            scope[initializer.Tensor.Name] = Add(graph, initializer.Tensor, constant: null);
        }
    }

    private Alias Add(ModelGraph graph, Tensor tensor, Node? constant)
    {
        var found = new Found(graph, tensor, constant);
        _found.Add(found);
        return new(found, Direct: true, Flipped: false);
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

                if (i == 0 && PassOn(node, alias) is { } passed)
                {
                    scope[node.Outputs[0]] = passed;
                }
                else
                {
                    alias.Found.See(node, i, alias.Flipped);
                }
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

    // The weight behind a node that changes nothing but its place or its type.
    private static Alias? PassOn(Node node, Alias alias)
    {
        if (node.Outputs.Count != 1)
        {
            return null;
        }

        if (node.Is("Identity") || node.Is("Cast"))
        {
            return alias with { Direct = false };
        }

        bool turns = node.Is("Transpose") && alias.Found.Tensor.Shape.Rank == 2 && node.Attribute("perm") is null or { Ints: [1, 0] };
        return turns ? alias with { Direct = false, Flipped = !alias.Flipped } : null;
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

    private static Layer ToLayer(Found found, IReadOnlySet<Node> endings)
    {
        var view = found.Consumer is null ? WeightView.Of(WeightRole.Other, found.Tensor.Shape) : found.View;
        var role = view.Role;
        if (role == WeightRole.Linear && found.Consumer is { } consumer)
        {
            role = endings.Contains(consumer) ? WeightRole.Softmax
                : WeightNames.IsAttention(found.Name) || WeightNames.IsAttention(consumer.Name) ? WeightRole.Attention
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
            Uses = [.. found.Uses],
        };
    }

    /// <summary>What a value stands for.</summary>
    /// <param name="Found">The weight.</param>
    /// <param name="Direct">Whether it is the weight itself and not a value behind another node.</param>
    /// <param name="Flipped">Whether it is the transpose.</param>
    private sealed record Alias(Found Found, bool Direct, bool Flipped);

    private sealed class Found(ModelGraph scope, Tensor tensor, Node? constant)
    {
        internal ModelGraph Scope => scope;

        internal Tensor Tensor => tensor;

        internal Node? Constant => constant;

        internal List<WeightUse> Uses { get; } = [];

        internal string Name { get; set; } = "";

        internal Node? Consumer { get; private set; }

        internal WeightView View { get; private set; }

        internal void See(Node node, int input, bool flipped)
        {
            if (Consumer is not null && View.Role == WeightRole.Embedding)
            {
                return;
            }

            var view = WeightView.Of(node, input, tensor.Shape, flipped);
            if (Consumer is null || view.Role == WeightRole.Embedding)
            {
                Consumer = node;
                View = view;
            }
        }
    }
}
