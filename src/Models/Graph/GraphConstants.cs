using System.Buffers.Binary;
using System.Collections.Immutable;
using Condense.Models.Tensors;

namespace Condense.Models.Graph;

/// <summary>The constants of graphs by name: tensors, and the short vectors of whole numbers among them, which are shapes and axes.</summary>
/// <param name="program">The program that they are of.</param>
internal sealed class GraphConstants(GraphProgram program)
{
    // More dimensions than any operator takes.
    private const int MaxCount = 64;

    // Every name that a graph defines; null for what is no constant and hides one of that name further out.
    private readonly Dictionary<ModelGraph, Dictionary<string, Held?>> _scopes = new(ReferenceEqualityComparer.Instance);

    /// <summary>Notes what a graph defines; its parents have been added before. O(nodes).</summary>
    /// <param name="graph">The graph.</param>
    internal void Add(ModelGraph graph)
    {
        var scope = new Dictionary<string, Held?>(StringComparer.Ordinal);
        _scopes.Add(graph, scope);
        foreach (var input in graph.Inputs)
        {
            scope[input.Name] = null;
        }

        foreach (var initializer in graph.Initializers)
        {
            // What may be overridden is no constant.
            if (!program.HasDefaults || !scope.ContainsKey(initializer.Tensor.Name))
            {
                scope[initializer.Tensor.Name] = new(initializer.Tensor, []);
            }
        }

        foreach (var node in graph.Nodes)
        {
            foreach (string output in node.Outputs)
            {
                scope[output] = node.Is("Constant") ? Of(node) : null;
            }
        }
    }

    /// <summary>The tensor that a name stands for, or null.</summary>
    /// <param name="name">A value's name.</param>
    /// <param name="graph">The graph in which it is used.</param>
    internal Tensor? Tensor(string name, ModelGraph graph) => Find(name, graph)?.Tensor;

    /// <summary>The whole numbers that a name stands for, or null.</summary>
    /// <param name="name">A value's name.</param>
    /// <param name="graph">The graph in which it is used.</param>
    /// <exception cref="IOException">The file can't be read.</exception>
    internal ImmutableArray<long>? Numbers(string name, ModelGraph graph) => Find(name, graph) switch
    {
        { Tensor: null } held => held.Numbers,
        { Tensor: { DType: DType.I64, Shape: { Rank: <= 1, ElementCount: <= MaxCount } } tensor } => Read(tensor),
        _ => null,
    };

    private Held? Find(string name, ModelGraph graph)
    {
        for (var scope = name.Length == 0 ? null : graph; scope is not null; scope = scope.Parent)
        {
            if (_scopes[scope].TryGetValue(name, out var held))
            {
                return held;
            }
        }

        return null;
    }

    private static Held? Of(Node node) =>
        node.Attribute("value") is { Tensors: [var value] } ? new(value.Tensor, [])
        : node.Attribute("value_ints") is { Reference: "" } numbers ? new(null, numbers.Ints)
        : node.Attribute("value_int") is { Reference: "", Ints: [_] } number ? new(null, number.Ints)
        : null;

    private static ImmutableArray<long> Read(Tensor tensor)
    {
        byte[] bytes = new byte[tensor.Shape.ElementCount * sizeof(long)];
        tensor.Data.Read(0, bytes);
        return [.. Enumerable.Range(0, bytes.Length / sizeof(long)).Select(i => BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(i * sizeof(long))))];
    }

    private sealed record Held(Tensor? Tensor, ImmutableArray<long> Numbers);
}
