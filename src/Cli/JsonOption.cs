using System.CommandLine;

namespace Condense.Cli;

/// <summary><c>--json</c>.</summary>
internal static class JsonOption
{
    /// <summary>Builds it.</summary>
    public static Option<bool> Build() => new("--json") { Description = "Print the document that the API returns, and nothing else." };
}
