using Condense.Engine.Methods;
using Condense.Models.Graph;
using Condense.Pipeline.Recipes;

namespace Condense.Pipeline.Stages;

/// <summary>A layer and what the recipe allows for it.</summary>
/// <param name="Layer">The layer.</param>
/// <param name="Methods">The methods that may be used; none: it is kept.</param>
/// <param name="MayKeep">Whether it may also stay as it is.</param>
/// <param name="Settings">What a rule fixes; null without a rule.</param>
/// <param name="Importance">What is known of its use.</param>
/// <param name="RulePointer">The JSON pointer of its rule; null without one.</param>
internal sealed record LayerIntent(
    Layer Layer, IReadOnlyList<string> Methods, bool MayKeep, MethodSettings? Settings, Importance Importance, string? RulePointer)
{
    /// <summary>Numbers in the layer.</summary>
    public long ElementCount => (long)Layer.Rows * Layer.Columns;

    /// <summary>How the ranges of codes are clipped; null: as their width suggests.</summary>
    public RangeClipping? Clipping => (Settings as QuantizeChoice)?.RangeClipping;
}
