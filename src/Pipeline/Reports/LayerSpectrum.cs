using System.Globalization;

namespace Condense.Pipeline.Reports;

/// <summary>
/// How a layer's energy falls with the rank: <c>Σⱼ σⱼ² over j ≥ rank, ÷ Σ wᵢ‖Wᵢ‖²</c>, of <c>√D·W</c> with the row weights D, or of W without any. At most
/// 64 points.
/// </summary>
/// <param name="Ranks">Ascending, from 0.</param>
/// <param name="RemainingEnergy">For each rank the share of the energy that a matrix of this rank can't hold, 1 at rank 0; four digits.</param>
public sealed record LayerSpectrum(IReadOnlyList<int> Ranks, IReadOnlyList<double> RemainingEnergy)
{
    private const int Intervals = 31;

    /// <summary>
    /// Takes points of a curve, close where it is steep: half of them at equal distances, half at equal ratios. O(values).
    /// </summary>
    /// <param name="squaredValues">Squared singular values, descending.</param>
    /// <param name="energy">All the energy, also that of values that are not known.</param>
    /// <param name="cut">A rank that must be among the points; null for none.</param>
    /// <returns>The points; null when there is no energy.</returns>
    internal static LayerSpectrum? Of(ReadOnlySpan<double> squaredValues, double energy, int? cut)
    {
        if (energy <= 0)
        {
            return null;
        }

        int last = squaredValues.Length;
        var ranks = new SortedSet<int> { 0, last };
        for (int i = 1; i < Intervals; i++)
        {
            ranks.Add((int)((long)last * i / Intervals));
            ranks.Add((int)Math.Pow(last, (double)i / Intervals));
        }

        if (cut is { } rankOfCut)
        {
            ranks.Add(Math.Min(rankOfCut, last));
        }

        int[] chosen = [.. ranks];
        double[] remaining = new double[chosen.Length];
        double held = 0;
        int next = 0;
        for (int rank = 0; next < chosen.Length; rank++)
        {
            if (rank == chosen[next])
            {
                double share = Math.Clamp((energy - held) / energy, 0, 1);
                remaining[next++] = double.Parse(share.ToString("G4", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
            }

            held += rank < last ? squaredValues[rank] : 0;
        }

        return new LayerSpectrum(chosen, remaining);
    }
}
