using System.Globalization;
using System.Numerics;
using Condense.Engine.Planning;
using Condense.Pipeline.Reports;

namespace Condense.Pipeline.Stages;

/// <summary>What makes the numbers: results are equal bit for bit only under the same version and kernel width.</summary>
internal static class EngineIdentity
{
    /// <summary>The engine's version.</summary>
    public static string Version { get; } = typeof(Planner).Assembly.GetName().Version!.ToString(3);

    /// <summary>Bits of a vector register that the kernels use.</summary>
    public static int VectorBits { get; } = Vector<byte>.Count * 8;

    /// <summary>Both, as part of a key.</summary>
    public static string Key { get; } = $"{Version}/{VectorBits.ToString(CultureInfo.InvariantCulture)}";

    /// <summary>For a report.</summary>
    public static EngineDescription Describe(int threads) => new(Version, VectorBits, threads);
}
