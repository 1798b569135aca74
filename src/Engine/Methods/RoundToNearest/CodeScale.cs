namespace Condense.Engine.Methods;

/// <summary>
/// The scale and zero point of entries in a known range, and the steps that they may take: <c>w ≈ Scale·t</c>, <c>t = code − ZeroPoint</c> in
/// Lowest … Highest.
/// </summary>
/// <param name="Scale">Positive and finite.</param>
/// <param name="ZeroPoint">0 when symmetric, else 0 … 255.</param>
/// <param name="Lowest">The least step.</param>
/// <param name="Highest">The greatest step.</param>
internal readonly record struct CodeScale(float Scale, int ZeroPoint, float Lowest, float Highest)
{
    private const int SymmetricSteps = 127;
    private const int AsymmetricSteps = 255;

    /// <summary>The scale of a range; 0 is always one of its steps.</summary>
    /// <param name="least">The least entry, finite.</param>
    /// <param name="greatest">The greatest entry, finite, ≥ least.</param>
    /// <param name="symmetric">Steps −127 … 127 instead of 256 steps around a zero point.</param>
    public static CodeScale Of(float least, float greatest, bool symmetric)
    {
        double low = Math.Min((double)least, 0), high = Math.Max((double)greatest, 0);
        double reach = Math.Max(-low, high);
        if (reach == 0)
        {
            // Any scale gives the zeros exactly.
            return symmetric ? new CodeScale(1, 0, -SymmetricSteps, SymmetricSteps) : new CodeScale(1, 0, 0, AsymmetricSteps);
        }

        if (symmetric)
        {
            float scale = RoundUpWhereCoarse(reach / SymmetricSteps);
            float limit = Math.Min(SymmetricSteps, FiniteSteps(scale));
            return new CodeScale(scale, 0, -limit, limit);
        }
        else
        {
            float scale = RoundUpWhereCoarse((high - low) / AsymmetricSteps);
            int zeroPoint = (int)Math.Clamp(Math.Round(-low / scale), 0, AsymmetricSteps);
            float limit = FiniteSteps(scale);
            return new CodeScale(scale, zeroPoint, Math.Max(-zeroPoint, -limit), Math.Min(AsymmetricSteps - zeroPoint, limit));
        }
    }

    /// <summary>The float next to a scale. Among denormals a scale rounded down would cut the range by up to a third: there it is rounded up.</summary>
    private static float RoundUpWhereCoarse(double scale)
    {
        float rounded = (float)scale;
        return rounded < scale && float.IsSubnormal(rounded) || rounded == 0 ? MathF.BitIncrement(rounded) : rounded;
    }

    /// <summary>The steps that stay finite: beside <see cref="float.MaxValue"/> the outermost ones would not.</summary>
    private static float FiniteSteps(float scale) => (float)Math.Min(AsymmetricSteps, Math.Floor(float.MaxValue / (double)scale));
}
