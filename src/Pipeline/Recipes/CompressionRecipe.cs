namespace Condense.Pipeline.Recipes;

/// <summary>What the caller asks of one run.</summary>
public sealed record CompressionRecipe
{
    /// <summary>How small the model must become. Null: <see cref="Layers"/> fix the work and every other layer is kept.</summary>
    public CompressionTarget? Target { get; init; }

    /// <summary>The methods that the planner may use, by name. Default: none, meaning all that apply.</summary>
    public IReadOnlyList<string> Methods { get; init; } = [];

    /// <summary>Layers whose method is fixed; the first rule that matches a layer counts.</summary>
    public IReadOnlyList<LayerRule> Layers { get; init; } = [];

    /// <summary>Globs of layers that stay as they are.</summary>
    public IReadOnlyList<string> Keep { get; init; } = [];

    /// <summary>How often rows of tables are used; null: every row counts the same.</summary>
    public TokenFrequencies? Frequencies { get; init; }

    /// <summary>The opset of the standard operators that the result shall have; null: that of the model.</summary>
    public int? Opset { get; init; }

    /// <summary>Seed of everything that draws numbers. Default 0.</summary>
    public ulong Seed { get; init; }
}
