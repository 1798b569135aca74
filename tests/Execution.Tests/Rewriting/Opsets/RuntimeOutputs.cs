using Condense.Execution.OnnxRuntime;
using Xunit;

namespace Condense.Execution.Tests.Rewriting.Opsets;

/// <summary>What a model gives, and whether another gives the same.</summary>
internal static class RuntimeOutputs
{
    private const double Tolerance = 1e-6;

    public static IReadOnlyDictionary<string, RuntimeTensor> Of(OnnxRuntimeLibrary library, string path, OptimisationLevel level, ulong seed = 3)
    {
        using var session = new OnnxRuntimeSession(library, path, level, threads: 1);
        return session.Run(new RandomInputs(seed, new Dictionary<string, long>(StringComparer.Ordinal)).Create(session.Inputs, 1, 8));
    }

    /// <summary>Floats within a relative 1e-6, everything else to the byte.</summary>
    public static void AssertEqual(IReadOnlyDictionary<string, RuntimeTensor> expected, IReadOnlyDictionary<string, RuntimeTensor> actual, string what)
    {
        double difference = OutputComparison.Difference(expected, actual);
        Assert.True(difference <= Tolerance, FormattableString.Invariant($"{what}: relative difference {difference:E2}"));
        foreach (var (name, tensor) in expected.Where(pair => !pair.Value.IsFloat))
        {
            Assert.Equal(tensor.DType, actual[name].DType);
            Assert.Equal(tensor.Shape, actual[name].Shape);
            Assert.True(tensor.Data.AsSpan().SequenceEqual(actual[name].Data), $"{what}: '{name}' differs");
        }
    }
}
