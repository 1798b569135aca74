using System.Collections.Immutable;

namespace Condense.Models.Graph;

/// <summary>A list of nodes in order of execution, the constants that they use, and what goes in and out.</summary>
public sealed class ModelGraph
{
    /// <summary>Its name.</summary>
    public string Name { get; set; } = "";

    /// <summary>Text for people.</summary>
    public string DocString { get; set; } = "";

    /// <summary>The graph whose node holds this one; null for the main graph and for a function's body.</summary>
    public ModelGraph? Parent { get; set; }

    /// <summary>The nodes, each after those whose outputs it uses.</summary>
    public List<Node> Nodes { get; } = [];

    /// <summary>Constant tensors, visible here and in subgraphs.</summary>
    public List<Initializer> Initializers { get; } = [];

    /// <summary>What is passed in. Old files (IR below 4) list initializers here too.</summary>
    public List<ValueInfo> Inputs { get; } = [];

    /// <summary>What comes out.</summary>
    public List<ValueInfo> Outputs { get; } = [];

    /// <summary>Types and shapes of values in between, where the file states them.</summary>
    public List<ValueInfo> Values { get; } = [];

    /// <summary>Fields that are not known (or not interpreted: sparse initializers, quantization annotations, …), encoded.</summary>
    public ImmutableArray<byte> Unknown { get; set; } = [];
}
