namespace Condense.Pipeline.Recipes;

/// <summary>How often each row of a table is used: count i belongs to row i.</summary>
/// <param name="Counts">Counts ≥ 0, finite, in row order.</param>
/// <param name="Layers">Globs over the names of the tables that they belong to; empty: every embedding and softmax layer with that many rows.</param>
/// <param name="Exponent">α in the row weight <c>(count + 1)^α</c>, 0 … 1. Default ¾: raw Zipf counts would leave nothing for rare rows.</param>
public sealed record TokenFrequencies(IReadOnlyList<double> Counts, IReadOnlyList<string> Layers, double Exponent = TokenFrequencies.DefaultExponent)
{
    /// <summary>α unless it is given.</summary>
    public const double DefaultExponent = 0.75;
}
