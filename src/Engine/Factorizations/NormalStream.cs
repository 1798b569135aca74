namespace Condense.Engine.Factorizations;

/// <summary>Seeded numbers from the normal distribution: SplitMix64 (Steele, Lea and Flood, 2014) and the Box–Muller transformation.</summary>
internal sealed class NormalStream(ulong seed)
{
    private ulong _state = seed;

    /// <summary>Fills a run with independent N(0, 1) numbers.</summary>
    public void Fill(Span<float> values)
    {
        for (int i = 0; i < values.Length; i++)
        {
            // 1 − u is in (0, 1]: its logarithm is finite.
            double radius = Math.Sqrt(-2 * Math.Log(1 - NextUniform()));
            values[i] = (float)(radius * Math.Cos(2 * Math.PI * NextUniform()));
        }
    }

    /// <summary>53 random bits in [0, 1).</summary>
    private double NextUniform()
    {
        _state += 0x9E3779B97F4A7C15;
        ulong mixed = (_state ^ (_state >> 30)) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
        return ((mixed ^ (mixed >> 31)) >> 11) * (1.0 / (1UL << 53));
    }
}
