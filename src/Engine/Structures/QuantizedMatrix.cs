namespace Condense.Engine.Structures;

/// <summary>Integer codes.</summary>
public abstract class QuantizedMatrix : StructuredMatrix;
