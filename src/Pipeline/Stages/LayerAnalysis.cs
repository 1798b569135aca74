using System.Collections.Immutable;

namespace Condense.Pipeline.Stages;

/// <summary>What each candidate of a layer would lose.</summary>
/// <param name="TensorDigest">SHA-256 of the tensor's bytes.</param>
/// <param name="Candidates">What may be done: the ladder's candidates, and in the place of each grouped one those that its singular values ask for.</param>
/// <param name="Losses">Per candidate: predicted squared error ÷ energy, row-weighted where weights are known; +∞ where the method can't be applied to these values.</param>
/// <param name="BasisKey">The piece of the store that holds the singular values, and the name that the basis goes by; null when no candidate is a product.</param>
/// <param name="MaxRank">The highest rank that the basis serves; 0 without one.</param>
internal sealed record LayerAnalysis(string TensorDigest, ImmutableArray<Candidate> Candidates, ImmutableArray<double> Losses, string? BasisKey, int MaxRank);
