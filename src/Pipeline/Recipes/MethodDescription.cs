using System.Text.Json.Nodes;
using Condense.Models.Graph;

namespace Condense.Pipeline.Recipes;

/// <summary>A method of the catalogue.</summary>
/// <param name="Name">The name that recipes use, for example <c>low-rank</c>.</param>
/// <param name="Summary">One sentence.</param>
/// <param name="Settings">JSON Schema of its settings.</param>
/// <param name="Uses">What it can use: <c>frequencies</c>; empty when weights alone.</param>
/// <param name="Roles">The roles that it applies to.</param>
/// <param name="Reference">Where it comes from.</param>
public sealed record MethodDescription(
    string Name, string Summary, JsonObject Settings, IReadOnlyList<string> Uses, IReadOnlyList<WeightRole> Roles, string Reference);
