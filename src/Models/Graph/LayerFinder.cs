using System.Collections.Immutable;

namespace Condense.Models.Graph;

/// <summary>Finds the weights of a model that can be compressed, and what they do: from the graph, or from names and shapes where there is none.</summary>
public static class LayerFinder
{
    /// <summary>
    /// All floating-point tensors of two or more dimensions that are not empty, in the order of the file: initializers and weights in Constant
    /// nodes, those of subgraphs too. O(nodes + tensors).
    /// </summary>
    /// <param name="model">The model.</param>
    public static ImmutableArray<Layer> Find(Model model) => throw new NotSupportedException();
}
