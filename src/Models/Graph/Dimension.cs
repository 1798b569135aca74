namespace Condense.Models.Graph;

/// <summary>One dimension of a value's shape: a number, a name, or neither.</summary>
/// <param name="Value">The number, when it is fixed.</param>
/// <param name="Name">The name of a variable dimension; empty when it has none.</param>
public readonly record struct Dimension(long? Value, string Name);
