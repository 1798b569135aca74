using Condense.Engine.Matrices;

namespace Condense.Engine.Factorizations;

/// <summary>Squared singular values and right singular vectors, as a factorization found them.</summary>
/// <param name="SquaredValues">Descending, ≥ 0; all min(m, n) of them, or those of the vectors.</param>
/// <param name="RightVectors">k×n: row j belongs to value j; orthonormal rows.</param>
internal readonly record struct Spectrum(double[] SquaredValues, Matrix RightVectors);
