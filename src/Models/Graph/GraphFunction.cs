using System.Collections.Immutable;

namespace Condense.Models.Graph;

/// <summary>A function of the file's own that nodes may call by domain and name.</summary>
public sealed class GraphFunction
{
    /// <summary>Its name.</summary>
    public required string Name { get; set; }

    /// <summary>The domain that it belongs to.</summary>
    public string Domain { get; set; } = "";

    /// <summary>Its overload's name; empty for the only one.</summary>
    public string Overload { get; set; } = "";

    /// <summary>Text for people.</summary>
    public string DocString { get; set; } = "";

    /// <summary>Names of what is passed in.</summary>
    public List<string> Inputs { get; } = [];

    /// <summary>Names of what comes out.</summary>
    public List<string> Outputs { get; } = [];

    /// <summary>Names of attributes that a caller may set.</summary>
    public List<string> Attributes { get; } = [];

    /// <summary>The operator sets of the body.</summary>
    public SortedDictionary<string, long> Opsets { get; } = new(StringComparer.Ordinal);

    /// <summary>The nodes; the body has no initializers of its own.</summary>
    public required ModelGraph Body { get; set; }

    /// <summary>Fields that are not known, encoded.</summary>
    public ImmutableArray<byte> Unknown { get; set; } = [];
}
