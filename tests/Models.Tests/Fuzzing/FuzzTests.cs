using Condense.Models.Tests.Formats.Safetensors;
using Xunit;

namespace Condense.Models.Tests.Fuzzing;

/// <summary>Ten thousand broken files of each format: each is read, or refused with its cause, in bounded memory; nothing else may happen.</summary>
public sealed class FuzzTests
{
    private const int Inputs = 10_000;

    public static TheoryData<string> Formats => [.. FuzzFormats.All.Select(format => format.Name)];

    [Theory]
    [MemberData(nameof(Formats))]
    public void Broken_files_are_read_or_refused_in_bounded_memory(string name)
    {
        using var folder = new TemporaryFolder();
        var run = new FuzzRun(FuzzFormats.All.Single(format => string.Equals(format.Name, name, StringComparison.Ordinal)), 20, folder.PathOf("."));
        run.Run(Inputs);
        Assert.Empty(run.Failures);
        Assert.Equal(Inputs, run.Accepted + run.Refused);

        // Both outcomes must be common, or the mutations test nothing.
        Assert.InRange(run.Accepted, Inputs / 100, Inputs - (Inputs / 10));
    }
}
