using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Xunit;

namespace Condense.Conventions.Tests;

/// <summary>The build is as strict as the house says: settings, versions, bans.</summary>
public sealed partial class BuildSettingsTests
{
    // What reaches every project through MSBuild's import of the nearest file of that name.
    private static readonly string[] s_imported = ["Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props"];

    [Theory]
    [InlineData("Nullable", "enable")]
    [InlineData("TreatWarningsAsErrors", "true")]
    [InlineData("AnalysisLevel", "latest-recommended")]
    [InlineData("EnforceCodeStyleInBuild", "true")]
    [InlineData("GenerateDocumentationFile", "true")]
    [InlineData("Deterministic", "true")]
    [InlineData("UseArtifactsOutput", "true")]
    public void Every_project_builds_with(string property, string value)
    {
        Assert.Equal(value, Assert.Single(Load("Directory.Build.props").Descendants(property)).Value);
        Assert.All(Repository.ProjectFiles(), file => Assert.DoesNotContain(Load(file).Descendants(), element => string.Equals(element.Name.LocalName, property, StringComparison.Ordinal)));
    }

    [Fact]
    public void The_settings_of_the_root_reach_every_project() =>
        Assert.Equal(
            ["Directory.Build.props", "Directory.Packages.props"],
            Repository.TrackedFiles().Where(file => s_imported.Contains(Path.GetFileName(file), StringComparer.OrdinalIgnoreCase)).Order(StringComparer.Ordinal));

    [Fact]
    public void The_sdk_is_pinned()
    {
        using var document = JsonDocument.Parse(Repository.Read("global.json"));
        Assert.Matches(ExactVersion(), document.RootElement.GetProperty("sdk").GetProperty("version").GetString());
    }

    [Fact]
    public void Package_versions_are_exact_and_stand_in_one_place()
    {
        var packages = Load("Directory.Packages.props");
        Assert.Equal("true", Assert.Single(packages.Descendants("ManagePackageVersionsCentrally")).Value);
        Assert.Equal("true", Assert.Single(packages.Descendants("CentralPackageTransitivePinningEnabled")).Value);
        var versions = packages.Descendants("PackageVersion").Concat(packages.Descendants("GlobalPackageReference")).ToList();
        Assert.NotEmpty(versions);
        Assert.All(versions, element => Assert.Matches(ExactVersion(), element.Attribute("Version")!.Value));
        Assert.All(
            Repository.ProjectFiles(),
            file => Assert.DoesNotContain(
                Load(file).Descendants("PackageReference"),
                element => element.Attribute("Version") is not null || element.Attribute("VersionOverride") is not null));
    }

    [Theory]
    [InlineData("Microsoft.CodeAnalysis.BannedApiAnalyzers")]
    [InlineData("Meziantou.Analyzer")]
    [InlineData("Roslynator.Analyzers")]
    public void An_analyzer_looks_at_every_project(string analyzer)
    {
        Assert.Contains(Load("Directory.Packages.props").Descendants("GlobalPackageReference"), element => IsNamed(element.Attribute("Include"), analyzer));
        Assert.All(
            Repository.ProjectFiles(),
            file => Assert.DoesNotContain(
                Load(file).Descendants("GlobalPackageReference").Concat(Load(file).Descendants("PackageReference")),
                element => IsNamed(element.Attribute("Remove"), analyzer)));
    }

    [Fact]
    public void The_banned_symbols_reach_the_analyzer_of_every_project()
    {
        Assert.Contains(
            Load("Directory.Build.props").Descendants("AdditionalFiles"),
            element => IsNamed(element.Attribute("Include"), "$(MSBuildThisFileDirectory)BannedSymbols.txt") && element.Attribute("Condition") is null);
        // Its warning is an error by TreatWarningsAsErrors, unless somebody turns it down.
        Assert.All(
            Repository.TrackedFiles().Where(IsBuildFile),
            file => Assert.DoesNotContain("RS0030", Repository.Read(file), StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("P:System.DateTime.UtcNow")]
    [InlineData("P:System.DateTimeOffset.UtcNow")]
    [InlineData("P:System.Random.Shared")]
    [InlineData("M:System.Random.#ctor")]
    [InlineData("M:System.Guid.NewGuid")]
    [InlineData("M:System.Threading.Thread.Sleep(System.Int32)")]
    [InlineData("M:System.GC.Collect")]
    public void A_symbol_that_hides_an_input_is_banned_with_its_cure(string symbol)
    {
        var line = Assert.Single(Repository.Read("BannedSymbols.txt").Split('\n'), line => line.StartsWith(symbol + ';', StringComparison.Ordinal));
        Assert.NotEqual("", line[(symbol.Length + 1)..].Trim());
    }

    [Fact]
    public void No_project_turns_the_analyzers_off()
    {
        string[] switches = ["RunAnalyzers", "RunAnalyzersDuringBuild", "RunAnalyzersDuringCompilation", "EnableNETAnalyzers", "WarningLevel", "AnalysisMode", "WarningsNotAsErrors", "NoWarn"];
        // NoWarn of test projects stands in Directory.Build.props with its reasons.
        Assert.All(
            Repository.ProjectFiles(),
            file => Assert.DoesNotContain(Load(file).Descendants(), element => switches.Contains(element.Name.LocalName, StringComparer.Ordinal)));
    }

    private static bool IsBuildFile(string file) =>
        Path.GetExtension(file) is ".csproj" or ".props" or ".targets" or ".ruleset" or ".globalconfig" || Path.GetFileName(file) is ".editorconfig";

    private static bool IsNamed(XAttribute? attribute, string name) => string.Equals(attribute?.Value, name, StringComparison.Ordinal);

    private static XDocument Load(string file) => XDocument.Load(Repository.At(file));

    [GeneratedRegex(@"\A[0-9]+(\.[0-9]+){2,3}\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex ExactVersion();
}
