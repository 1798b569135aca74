using System.Collections.Immutable;
using Condense.Engine.Structures;

namespace Condense.Engine.Methods;

/// <summary>The blocks that a budget pays for.</summary>
/// <param name="Blocks">A shape for each group of rows.</param>
/// <param name="SquaredError">What they will lose, <c>Σ wᵢ‖Wᵢ − Ŵᵢ‖²</c>: to rounding with factors in f32, a close estimate with codes.</param>
public sealed record GroupPlan(ImmutableArray<StructureForm> Blocks, double SquaredError)
{
    /// <summary>The whole: a partition, or the only block.</summary>
    /// <param name="permuted">Whether the rows stand in another order than in the weight.</param>
    public StructureForm Form(bool permuted) => Blocks.Length == 1 ? Blocks[0] : new RowPartitionForm(Blocks, permuted);
}
