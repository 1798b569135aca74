namespace Condense.Engine.Methods;

/// <summary>
/// The scale and zero point of entries in a known range, and the steps that they may take: <c>w ≈ Scale·t</c>, <c>t = code − ZeroPoint</c> in
/// Lowest … Highest.
/// </summary>
/// <param name="Scale">Positive and finite.</param>
/// <param name="ZeroPoint">0 when symmetric, else 0 … 2^b−1.</param>
/// <param name="Lowest">The least step.</param>
/// <param name="Highest">The greatest step.</param>
internal readonly record struct CodeScale(float Scale, int ZeroPoint, float Lowest, float Highest)
{
    /// <summary>The scale of a range; 0 is always one of its steps.</summary>
    /// <param name="least">The least entry, finite.</param>
    /// <param name="greatest">The greatest entry, finite, ≥ least.</param>
    /// <param name="symmetric">Steps <c>−(2^(b−1)−1) … 2^(b−1)−1</c> instead of 2^b steps around a zero point.</param>
    /// <param name="bits">b.</param>
    public static CodeScale Of(float least, float greatest, bool symmetric, int bits)
    {
        int steps = symmetric ? (1 << (bits - 1)) - 1 : (1 << bits) - 1;
        double low = Math.Min((double)least, 0), high = Math.Max((double)greatest, 0);
        double reach = Math.Max(-low, high);
        if (reach == 0)
        {
            // Any scale gives the zeros exactly.
            return symmetric ? new CodeScale(1, 0, -steps, steps) : new CodeScale(1, 0, 0, steps);
        }

        if (symmetric)
        {
            float scale = RoundUpWhereCoarse(reach / steps);
            float limit = FiniteSteps(scale, steps);
            return new CodeScale(scale, 0, -limit, limit);
        }
        else
        {
            float scale = RoundUpWhereCoarse((high - low) / steps);
            int zeroPoint = (int)Math.Clamp(Math.Round(-low / scale), 0, steps);
            float limit = FiniteSteps(scale, steps);
            return new CodeScale(scale, zeroPoint, Math.Max(-zeroPoint, -limit), Math.Min(steps - zeroPoint, limit));
        }
    }

    /// <summary>The float next to a scale. Among denormals a scale rounded down would cut the range by up to a third: there it is rounded up.</summary>
    private static float RoundUpWhereCoarse(double scale)
    {
        float rounded = (float)scale;
        return rounded < scale && float.IsSubnormal(rounded) || rounded == 0 ? MathF.BitIncrement(rounded) : rounded;
    }

    /// <summary>The steps that stay finite: beside <see cref="float.MaxValue"/> the outermost ones would not.</summary>
    private static float FiniteSteps(float scale, int steps) => (float)Math.Min(steps, Math.Floor(float.MaxValue / (double)scale));
}
