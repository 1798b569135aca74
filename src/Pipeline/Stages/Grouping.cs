using Condense.Engine.Methods;

namespace Condense.Pipeline.Stages;

/// <summary>How a candidate of <see cref="Recipes.MethodNames.GroupReduce"/> is made.</summary>
/// <param name="Ranks">How ranks are found.</param>
/// <param name="Entry">How the blocks' numbers are stored.</param>
/// <param name="Rounds">The most rounds of refinement.</param>
/// <param name="ParameterRatio">Numbers before ÷ numbers after; null: a series of sizes for the planner.</param>
internal sealed record Grouping(RankRule Ranks, BlockEntry Entry, int Rounds, double? ParameterRatio);
