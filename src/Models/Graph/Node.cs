using System.Collections.Immutable;

namespace Condense.Models.Graph;

/// <summary>One operator call.</summary>
public sealed class Node
{
    /// <summary>Its name; may be empty.</summary>
    public string Name { get; set; } = "";

    /// <summary>The operator, for example <c>MatMul</c>.</summary>
    public required string OpType { get; set; }

    /// <summary>The operator's domain; <c>""</c> for the standard one.</summary>
    public string Domain { get; set; } = "";

    /// <summary>The operator's overload; mostly empty.</summary>
    public string Overload { get; set; } = "";

    /// <summary>Text for people.</summary>
    public string DocString { get; set; } = "";

    /// <summary>Names of values that go in; an empty name is an input left out.</summary>
    public List<string> Inputs { get; } = [];

    /// <summary>Names of values that come out; an empty name is an output left out.</summary>
    public List<string> Outputs { get; } = [];

    /// <summary>Settings.</summary>
    public List<NodeAttribute> Attributes { get; } = [];

    /// <summary>Fields that are not known, encoded.</summary>
    public ImmutableArray<byte> Unknown { get; set; } = [];

    /// <summary>The attribute of that name, or null.</summary>
    /// <param name="name">The attribute's name.</param>
    public NodeAttribute? Attribute(string name) => Attributes.Find(attribute => string.Equals(attribute.Name, name, StringComparison.Ordinal));

    /// <summary>Whether this is the standard operator of that name.</summary>
    /// <param name="opType">For example <c>Gather</c>.</param>
    public bool Is(string opType) => Domain is "" or "ai.onnx" && string.Equals(OpType, opType, StringComparison.Ordinal);
}
