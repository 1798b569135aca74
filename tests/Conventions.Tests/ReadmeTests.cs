using System.Text.Json;
using System.Text.RegularExpressions;
using Xunit;

namespace Condense.Conventions.Tests;

/// <summary>What the README tells to type, typed.</summary>
public sealed partial class ReadmeTests
{
    private const string HttpStory = "First job by HTTP";
    private const string CommandLineStory = "First job by command line";

    [Fact]
    public void Two_scripts_and_two_stories_are_all_that_is_told_to_type() =>
        Assert.Equal(["", HttpStory, CommandLineStory], Blocks().Select(block => block.Heading));

    [Fact]
    public async Task The_first_job_by_http_runs_as_it_is_written()
    {
        Assert.SkipUnless(Command.Exists("curl"), "curl is not installed: this story speaks HTTP with it.");
        await using var service = await RunningService.StartAsync();
        await TellAsync(HttpStory, service);
    }

    [Fact]
    public async Task The_first_job_by_command_line_runs_as_it_is_written() => await TellAsync(CommandLineStory, service: null);

    [Fact]
    public async Task The_scripts_of_the_first_block_exist_and_parse()
    {
        var scripts = Blocks()[0].Text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ')[0]).ToList();
        Assert.Equal(["./run.sh", "./test.sh"], scripts);
        foreach (var script in scripts.Append(".ci/run"))
        {
            var tracked = await Command.RunAsync(Repository.Root, "git", ["ls-files", "--stage", script]);
            Assert.StartsWith("100755 ", tracked.Output, StringComparison.Ordinal);
            var check = await Command.RunAsync(Repository.Root, "bash", ["-n", script]);
            Assert.Equal("", check.Error);
            Assert.Equal(0, check.ExitCode);
        }
    }

    [Fact]
    public async Task The_table_of_methods_is_the_catalogue()
    {
        var command = await Command.RunAsync(Repository.Root, "dotnet", [Repository.Assembly("Cli"), "methods", "--json"]);
        Assert.Equal("", command.Error);
        using var catalogue = JsonDocument.Parse(command.Output);
        var methods = catalogue.RootElement.GetProperty("methods");
        var section = Repository.Read("README.md").Split("\n## ").Single(text => text.StartsWith("Methods\n", StringComparison.Ordinal));
        foreach (var method in methods.EnumerateArray())
        {
            var row = Assert.Single(section.Split('\n'), line => line.StartsWith($"| `{method.GetProperty("name").GetString()}` |", StringComparison.Ordinal));
            var settings = method.GetProperty("settings").GetProperty("properties").EnumerateObject().Select(setting => setting.Name).Order(StringComparer.Ordinal);
            Assert.Equal(settings, Code().Matches(row.Split('|')[^2]).Select(match => match.Groups["code"].Value).Order(StringComparer.Ordinal));
        }

        Assert.Equal(methods.GetArrayLength(), section.Split('\n').Count(line => line.StartsWith("| `", StringComparison.Ordinal)));
    }

    private static async Task TellAsync(string heading, RunningService? service)
    {
        Assert.SkipUnless(Command.Exists("bash"), "bash is not installed: the README's commands are written for it.");
        var folder = Directory.CreateTempSubdirectory("condense-readme-").FullName;
        try
        {
            // As in the repository's folder, but what a story writes stays outside of it.
            Directory.CreateSymbolicLink(Path.Combine(folder, "samples"), Repository.At("samples"));
            Directory.CreateDirectory(Path.Combine(folder, "artifacts", "bin", "Cli"));
            Directory.CreateSymbolicLink(Path.Combine(folder, "artifacts", "bin", "Cli", "release"), Repository.Output("Cli"));
            var script = Blocks().Single(block => string.Equals(block.Heading, heading, StringComparison.Ordinal)).Text;

            var command = await Command.RunAsync(folder, "bash", ["-euo", "pipefail", "-c", script], ("CONDENSE_PORT", service?.Port ?? ""));

            Assert.True(command.ExitCode == 0, $"Exit code {command.ExitCode}:{Environment.NewLine}{command.Error}{command.Output}{service?.Log()}");
            Assert.Equal("", command.Error);
            Assert.Contains("encoder.weight", command.Output, StringComparison.Ordinal);
            var made = ModelOption().Match(script).Groups["file"].Value;
            long before = new FileInfo(Repository.At("samples", "moby-dick-lstm.onnx")).Length;
            Assert.InRange(new FileInfo(Path.Combine(folder, made)).Length, 1, (long)(before / 3.5));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>The blocks of shell commands with the heading above each; the first stands before all headings.</summary>
    private static List<(string Heading, string Text)> Blocks()
    {
        var readme = Repository.Read("README.md");
        return
        [
            .. Block().Matches(readme).Select(match =>
            {
                var heading = Heading().Matches(readme[..match.Index]).LastOrDefault();
                return (heading?.Groups["text"].Value ?? "", match.Groups["text"].Value);
            }),
        ];
    }

    [GeneratedRegex(@"^```sh\n(?<text>.*?)^```$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.Multiline | RegexOptions.Singleline, 1000)]
    private static partial Regex Block();

    [GeneratedRegex(@"^## (?<text>.+)$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.Multiline, 1000)]
    private static partial Regex Heading();

    [GeneratedRegex(@" -o (?<file>\S+\.onnx)", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex ModelOption();

    [GeneratedRegex(@"`(?<code>[^`]+)`", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Code();
}
