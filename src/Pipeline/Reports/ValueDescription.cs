using Condense.Models.Tensors;

namespace Condense.Pipeline.Reports;

/// <summary>An input or output of a graph.</summary>
/// <param name="Name">Its name.</param>
/// <param name="DType">The type of its elements; null when the file does not say.</param>
/// <param name="Shape">Its dimensions: numbers, names of variable ones, or <c>?</c>; null when the file does not say.</param>
public sealed record ValueDescription(string Name, DType? DType, IReadOnlyList<string>? Shape);
