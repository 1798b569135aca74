using Condense.Models.Formats.PyTorch.Pickle;

namespace Condense.Models.Formats.PyTorch;

/// <summary>What a container's pickle holds, before its tensors are looked for.</summary>
/// <param name="Value">The pickle's value, its storages with their data.</param>
/// <param name="Trace">The instructions and names of all pickles in the file.</param>
/// <param name="Budget">What is left to take.</param>
/// <param name="Offset">Where the pickle begins in the file.</param>
/// <param name="Findings">What the container itself gives cause to say.</param>
internal sealed record PickleContents(object? Value, PickleTrace Trace, PickleBudget Budget, long Offset, IReadOnlyList<ModelFinding> Findings);
