using Xunit;

namespace Condense.Service.Tests;

/// <summary>
/// The same tests with many more rounds, and measurements: <c>tests/Campaigns/cluster.sh</c> asks for them by naming a file for the results.
/// </summary>
internal static class Campaign
{
    private static readonly string? s_report = Environment.GetEnvironmentVariable("CONDENSE_CAMPAIGN_REPORT");

    /// <summary>Rounds of a test: as many as every build can afford, or as many as the promise names.</summary>
    public static int Rounds(int usual, int many) => s_report is null ? usual : many;

    /// <summary>Says what was found; in a campaign, a line of the results.</summary>
    public static void Report(string line)
    {
        TestContext.Current.SendDiagnosticMessage(line);
        if (s_report is not null)
        {
            File.AppendAllText(s_report, $"- {line}\n");
        }
    }
}
