using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Xml.Linq;
using Xunit;

namespace Condense.Conventions.Tests;

/// <summary>The projects and the arrows between them are those of the design.</summary>
public sealed class ProjectTests
{
    public static TheoryData<string> Projects => Repository.SourceProjects;

    [Fact]
    public void The_source_projects_are_the_six_of_the_design() =>
        Assert.Equal(Sorted(Repository.Arrows.Keys), Sorted(Directory.GetDirectories(Repository.At("src")).Select(folder => Path.GetFileName(folder)!)));

    [Fact]
    public void Every_source_project_has_a_test_project() =>
        Assert.All(Repository.Arrows.Keys, project => Assert.True(File.Exists(Repository.At("tests", $"{project}.Tests", $"{project}.Tests.csproj"))));

    [Fact]
    public void Every_project_is_in_the_solution()
    {
        var solution = Repository.Read("Service.sln").Replace('\\', '/');
        // The design-time project of the migrations is built by the tool that needs it.
        Assert.All(
            Repository.ProjectFiles().Where(file => !file.StartsWith("deploy/", StringComparison.Ordinal)),
            file => Assert.Contains($"\"{file}\"", solution, StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_references_only_what_the_design_allows(string project) =>
        Assert.Equal(
            Repository.Arrows[project],
            Sorted(Load(project).Descendants("ProjectReference").Select(element => Path.GetFileNameWithoutExtension(element.Attribute("Include")!.Value.Replace('\\', '/')))));

    [Theory]
    [MemberData(nameof(Projects))]
    public void An_assembly_references_none_that_lies_uphill(string project)
    {
        using var file = new PEReader(File.OpenRead(Repository.Assembly(project)));
        var metadata = file.GetMetadataReader();
        var references = metadata.AssemblyReferences
            .Select(handle => metadata.GetString(metadata.GetAssemblyReference(handle).Name))
            .Where(name => name.StartsWith("Condense.", StringComparison.Ordinal))
            .Select(name => name["Condense.".Length..]);
        // A reference flows through a project, so that Service may name a type of Models; it may never point uphill or sideways.
        Assert.Empty(references.Except(Downhill(project), StringComparer.Ordinal));
    }

    [Fact]
    public void Only_the_engine_allows_unsafe_code() =>
        Assert.Equal(
            ["src/Engine/Engine.csproj"],
            Repository.ProjectFiles().Where(file => XDocument.Load(Repository.At(file)).Descendants("AllowUnsafeBlocks").Any(element => bool.Parse(element.Value))));

    private static HashSet<string> Downhill(string project) =>
        [.. Repository.Arrows[project].SelectMany(below => Downhill(below).Append(below))];

    private static IEnumerable<string> Sorted(IEnumerable<string> names) => names.Order(StringComparer.Ordinal);

    private static XDocument Load(string project) => XDocument.Load(Repository.At("src", project, $"{project}.csproj"));
}
