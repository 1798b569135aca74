namespace Condense.Pipeline.Reports;

/// <summary>What made a result.</summary>
/// <param name="Version">The engine's version.</param>
/// <param name="VectorBits">The kernel width.</param>
/// <param name="Threads">Threads used; the result does not depend on it.</param>
public sealed record EngineDescription(string Version, int VectorBits, int Threads);
