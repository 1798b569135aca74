using System.Collections.Immutable;
using Condense.Models.Graph;
using Condense.Models.Tensors;

namespace Condense.Execution.OnnxRuntime;

/// <summary>An input or output of a session.</summary>
/// <param name="Name">Its name.</param>
/// <param name="DType">The type of its elements; null when it is not a tensor, or one of a type that is not exchanged (text, complex numbers).</param>
/// <param name="Shape">Its dimensions; a symbolic one has no value and perhaps a name. Empty for a scalar and for what is not a tensor.</param>
public sealed record RuntimeValue(string Name, DType? DType, ImmutableArray<Dimension> Shape);
