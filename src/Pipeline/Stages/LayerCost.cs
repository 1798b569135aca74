using Condense.Engine.Structures;

namespace Condense.Pipeline.Stages;

/// <summary>What work on a layer is likely to cost, in multiply-adds by the order of magnitude: for who works on what, never for what comes out.</summary>
internal static class LayerCost
{
    /// <summary>From here on a piece is made available to others, and looked for there: below, computing takes no longer than asking.</summary>
    private const double WorthAsking = 1 << 22;

    /// <summary>From here on, together, the layers of a stage are shared with other workers.</summary>
    private const double WorthSharing = 1e9;

    /// <summary>One multiply-add in a factorization counts like this many in a sum over entries.</summary>
    private const double Factorization = 2;

    /// <summary>The work per entry of what reads a weight a few times.</summary>
    private const double Passes = 8;

    /// <summary>Measuring the candidates.</summary>
    public static double OfAnalysis(LayerIntent intent, IReadOnlyList<Candidate> candidates)
    {
        int factorizations = candidates.Where(candidate => candidate.Grouping is not null).Select(candidate => candidate.Form).Distinct().Count()
            + (candidates.Any(IsProduct) ? 1 : 0);
        int others = candidates.Count(candidate => candidate is { Form: not null, Grouping: null } && !IsProduct(candidate));
        return intent.ElementCount * ((Factorization * Side(intent) * factorizations) + others);
    }

    /// <summary>Making one structure.</summary>
    public static double OfCompression(LayerIntent intent, Candidate candidate) => intent.ElementCount * (candidate switch
    {
        { Grouping: { } grouping } => Factorization * Side(intent) * (1 + grouping.Rounds),
        { Form: ProductForm product } => product.Rank,
        _ => Passes,
    });

    /// <summary>Whether a piece is for others, too. Both who makes it and who looks for it must say the same: it depends on the layer's shape alone.</summary>
    public static bool IsWorthAsking(LayerIntent intent) => (double)intent.ElementCount * Side(intent) >= WorthAsking;

    /// <summary>Whether others are invited to a stage's work.</summary>
    public static bool IsWorthSharing(IReadOnlyCollection<SharedLayer> layers) => layers.Count > 1 && layers.Sum(layer => layer.Cost) >= WorthSharing;

    private static bool IsProduct(Candidate candidate) => candidate is { Form: ProductForm, Grouping: null };

    private static int Side(LayerIntent intent) => Math.Min(intent.Layer.Rows, intent.Layer.Columns);
}
