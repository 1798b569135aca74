using System.Collections.Immutable;

namespace Condense.Models.Graph;

/// <summary>
/// A computation graph and what its file says around it. Everything here is read and written again; fields that are not known are kept as
/// bytes in <see cref="Unknown"/>, here and on every element below.
/// </summary>
public sealed class GraphProgram
{
    /// <summary>The version of the intermediate representation.</summary>
    public long IrVersion { get; set; }

    /// <summary>The operator-set version of each domain; the standard domain is <c>""</c>.</summary>
    public SortedDictionary<string, long> Opsets { get; } = new(StringComparer.Ordinal);

    /// <summary>The tool that made the file.</summary>
    public string ProducerName { get; set; } = "";

    /// <summary>The tool's version.</summary>
    public string ProducerVersion { get; set; } = "";

    /// <summary>The model's name space.</summary>
    public string Domain { get; set; } = "";

    /// <summary>The model's version.</summary>
    public long ModelVersion { get; set; }

    /// <summary>Text for people.</summary>
    public string DocString { get; set; } = "";

    /// <summary>Names and values that the file carries, in its order.</summary>
    public List<KeyValuePair<string, string>> Metadata { get; } = [];

    /// <summary>The graph itself.</summary>
    public required ModelGraph Main { get; set; }

    /// <summary>Functions that nodes may call.</summary>
    public List<GraphFunction> Functions { get; } = [];

    /// <summary>Fields that are not known, encoded.</summary>
    public ImmutableArray<byte> Unknown { get; set; } = [];

    /// <summary>Whether an initializer that is an input too is a default that whoever runs the model may override; before IR version 4 all initializers are inputs.</summary>
    internal bool HasDefaults => IrVersion >= 4;

    /// <summary>The opset of the standard domain; 0 when the file imports none.</summary>
    public long Opset => Opsets.GetValueOrDefault("");

    /// <summary>The main graph, its subgraphs and those of functions, parents first. No recursion; O(nodes).</summary>
    public IEnumerable<ModelGraph> AllGraphs()
    {
        var pending = new Stack<ModelGraph>();
        foreach (var function in Functions)
        {
            pending.Push(function.Body);
        }

        pending.Push(Main);
        while (pending.TryPop(out var graph))
        {
            yield return graph;
            foreach (var subgraph in graph.Nodes.SelectMany(node => node.Attributes).SelectMany(attribute => attribute.Graphs))
            {
                pending.Push(subgraph);
            }
        }
    }
}
