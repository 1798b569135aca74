namespace Condense.Engine.Structures;

/// <summary>Left·Right.</summary>
public abstract class ProductMatrix : StructuredMatrix;
