using Condense.Models.Tensors;

namespace Condense.Models.Rewriting.Opsets;

/// <summary>What is known of a value of a graph.</summary>
/// <param name="Type">The type of its elements, if that is known.</param>
/// <param name="Rank">How many dimensions it has, if that is known.</param>
/// <param name="Constant">The tensor, if it is always the same one.</param>
internal sealed record KnownValue(DType? Type, int? Rank, Tensor? Constant);
