namespace Condense.Engine.Structures;

/// <summary>Entries as they are, rounded to <see cref="FloatFormat"/>.</summary>
public abstract class DenseMatrix : StructuredMatrix;
