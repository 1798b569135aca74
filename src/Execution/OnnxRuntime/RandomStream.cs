namespace Condense.Execution.OnnxRuntime;

/// <summary>A stream of random numbers that a seed and a stream number fix for ever: SplitMix64.</summary>
/// <param name="seed">The seed.</param>
/// <param name="number">The number of the stream.</param>
internal sealed class RandomStream(ulong seed, ulong number)
{
    // The golden ratio's increment of SplitMix64. A stream starts at a mix of seed and number, so that streams do not overlap within any practical length.
    private const ulong Increment = 0x9E3779B97F4A7C15;
    private ulong _state = Mix(unchecked(seed + (Increment * (number + 1))));

    /// <summary>64 random bits.</summary>
    public ulong Next()
    {
        _state = unchecked(_state + Increment);
        return Mix(_state);
    }

    /// <summary>A whole number of [0, limit); a limit that is no power of two favours small ones by less than limit/2⁶⁴.</summary>
    /// <param name="limit">≥ 1.</param>
    public ulong NextBelow(ulong limit) => Math.BigMul(Next(), limit, out _);

    /// <summary>A number of N(0,1), by Box and Muller.</summary>
    public double NextNormal()
    {
        // 53 bits; the first number lies in (0,1] so that its logarithm exists.
        double radius = ((Next() >> 11) + 1) * (1.0 / (1UL << 53));
        double angle = (Next() >> 11) * (1.0 / (1UL << 53));
        return Math.Sqrt(-2 * Math.Log(radius)) * Math.Cos(2 * Math.PI * angle);
    }

    private static ulong Mix(ulong value)
    {
        unchecked
        {
            value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
            value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
            return value ^ (value >> 31);
        }
    }
}
