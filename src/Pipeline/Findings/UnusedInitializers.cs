using Condense.Models.Graph;
using Condense.Models.Tensors;

namespace Condense.Pipeline.Findings;

/// <summary>Constants of a graph that nothing uses.</summary>
internal static class UnusedInitializers
{
    /// <summary>
    /// Initializers whose names no node takes and no graph gives out. Names are looked for everywhere, whatever their scope: one that is hidden in one
    /// place and used in another is not told. O(nodes).
    /// </summary>
    public static IReadOnlyList<Tensor> Find(GraphProgram program)
    {
        var used = new HashSet<string>(StringComparer.Ordinal);
        foreach (var graph in program.AllGraphs())
        {
            used.UnionWith(graph.Outputs.Select(output => output.Name));
            foreach (var node in graph.Nodes)
            {
                used.UnionWith(node.Inputs);
            }
        }

        return [.. program.AllGraphs().SelectMany(graph => graph.Initializers).Select(initializer => initializer.Tensor).Where(tensor => !used.Contains(tensor.Name))];
    }
}
