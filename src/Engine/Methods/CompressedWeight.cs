using Condense.Engine.Structures;

namespace Condense.Engine.Methods;

/// <summary>What a method made of a weight.</summary>
/// <param name="Structure">What stands for the weight.</param>
/// <param name="Error">The error that was reached, measured.</param>
/// <param name="Bound">
/// The least (row-weighted) squared error that any matrix of the same rank has, where the method knows one, over blocks of rows the sum of theirs; else null.
/// </param>
public sealed record CompressedWeight(StructuredMatrix Structure, ErrorMeasure Error, double? Bound);
