namespace Condense.Models.Tests.Fuzzing;

/// <summary>The formats whose readers are fuzzed. A new one is added here and nowhere else.</summary>
internal static class FuzzFormats
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<FuzzFormat> All { get; } =
        [new SafetensorsFuzz(), new OnnxFuzz(), new NpyFuzz(), new NpzFuzz(), new ZipFuzz(), new PyTorchFuzz(legacy: false), new PyTorchFuzz(legacy: true)];
}
