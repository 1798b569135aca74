using System.Text.RegularExpressions;
using System.Xml.Linq;
using Xunit;

namespace Condense.Conventions.Tests;

/// <summary>The papers at the root agree with the repository and with each other.</summary>
public sealed partial class DocumentTests
{
    private static string Version => XDocument.Load(Repository.At("Directory.Build.props")).Descendants("Version").Single().Value;

    [Theory]
    [InlineData("README.md")]
    [InlineData("DECISIONS.md")]
    [InlineData("CHANGELOG.md")]
    [InlineData("SECURITY.md")]
    [InlineData("LICENSE")]
    [InlineData("openapi.yaml")]
    [InlineData("Dockerfile")]
    [InlineData("docker-compose.yml")]
    [InlineData(".ci/run")]
    public void The_repository_has(string file) => Assert.Contains(file, Repository.TrackedFiles());

    [Fact]
    public void Every_link_to_a_file_leads_somewhere() =>
        Offences.None(
            from file in Repository.TrackedFiles()
            where file.EndsWith(".md", StringComparison.Ordinal)
            from Match match in Link().Matches(Repository.Read(file))
            let target = match.Groups["target"].Value
            where !target.Contains("://", StringComparison.Ordinal) && !target.StartsWith('#')
            where !Path.Exists(Repository.At(Path.GetDirectoryName(file)!, target.Split('#')[0]))
            select $"{file}: {target}");

    [Fact]
    public void Every_source_file_that_a_document_names_exists() =>
        Offences.None(
            from file in Repository.TrackedFiles()
            where file.EndsWith(".md", StringComparison.Ordinal)
            from Match match in SourcePath().Matches(Repository.Read(file))
            where !Path.Exists(Repository.At(match.Groups["path"].Value))
            select $"{file}: {match.Groups["path"].Value}");

    [Fact]
    public void The_changelog_has_an_entry_for_this_version()
    {
        var entry = Assert.Single(Repository.Read("CHANGELOG.md").Split("\n## "), text => text.StartsWith($"[{Version}] - ", StringComparison.Ordinal));
        Assert.Contains("\n- ", entry, StringComparison.Ordinal);
    }

    [Fact]
    public void The_container_carries_this_version() =>
        Assert.Contains($"image: condense:{Version}\n", Repository.Read("docker-compose.yml"), StringComparison.Ordinal);

    [Fact]
    public async Task The_compose_file_is_valid()
    {
        Assert.SkipUnless(Command.Exists("docker-compose"), "docker-compose is not installed.");
        var check = await Command.RunAsync(Repository.Root, "docker-compose", ["--file", "docker-compose.yml", "config", "--quiet"]);
        Assert.True(check.ExitCode == 0, check.Error);
    }

    [Fact]
    public void The_container_restores_every_source_project_before_it_copies_the_sources()
    {
        var text = Repository.Read("Dockerfile");
        var copied = text.IndexOf("\nCOPY src/ src/\n", StringComparison.Ordinal);
        var restored = text.IndexOf("\nRUN dotnet restore", StringComparison.Ordinal);
        Assert.InRange(restored, 0, copied);
        Assert.All(Repository.Arrows.Keys, project => Assert.InRange(text.IndexOf($"COPY src/{project}/{project}.csproj src/{project}/\n", StringComparison.Ordinal), 0, restored));
        Assert.Contains("\nUSER $APP_UID\n", text, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"\]\((?<target>[^)\s]+)\)", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Link();

    [GeneratedRegex(@"`(?<path>(src|tests|samples|docs|deploy)/[\w./-]+)`", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex SourcePath();
}
