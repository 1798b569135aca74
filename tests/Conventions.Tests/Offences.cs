using Xunit;

namespace Condense.Conventions.Tests;

/// <summary>Says all that offends against a convention at once, a line each, so that one run shows the whole work.</summary>
internal static class Offences
{
    public static void None(IEnumerable<string> offences)
    {
        var found = offences.ToList();
        Assert.True(found.Count == 0, $"{found.Count}:{Environment.NewLine}{string.Join(Environment.NewLine, found)}");
    }
}
