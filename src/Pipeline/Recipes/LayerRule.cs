using System.Text.Json.Nodes;

namespace Condense.Pipeline.Recipes;

/// <summary>Fixes the method of the layers that a pattern names.</summary>
/// <param name="Match">A glob over layer names: <c>*</c> any run of characters, <c>?</c> one.</param>
/// <param name="Method">A method of the catalogue.</param>
/// <param name="Settings">The method's settings; null: its defaults.</param>
public sealed record LayerRule(string Match, string Method, JsonObject? Settings);
