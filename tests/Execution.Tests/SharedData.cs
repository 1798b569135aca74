using Xunit;

namespace Condense.Execution.Tests;

/// <summary>The folder of shared models and format files.</summary>
internal static class SharedData
{
    /// <summary>A path in it; the test skips itself where the folder is not.</summary>
    public static string Require(params ReadOnlySpan<string> path)
    {
        string? root = Environment.GetEnvironmentVariable("CONDENSE_SHARED_DATA");
        Assert.SkipWhen(string.IsNullOrEmpty(root), "Set CONDENSE_SHARED_DATA to the folder of shared models and format files.");
        return Path.Combine([root!, .. path]);
    }
}
