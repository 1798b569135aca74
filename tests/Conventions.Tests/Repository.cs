using System.Diagnostics;
using Xunit;

namespace Condense.Conventions.Tests;

/// <summary>Finds the repository's files and what was built from them.</summary>
internal static class Repository
{
    /// <summary>The six source projects, and what each may reference: DESIGN's arrows.</summary>
    public static IReadOnlyDictionary<string, string[]> Arrows { get; } = new Dictionary<string, string[]>(StringComparer.Ordinal)
    {
        ["Engine"] = [],
        ["Models"] = ["Engine"],
        ["Execution"] = ["Engine", "Models"],
        ["Pipeline"] = ["Engine", "Execution", "Models"],
        ["Service"] = ["Pipeline"],
        ["Cli"] = ["Pipeline"],
    };

    /// <summary>The folder that holds <c>Service.sln</c>, above the folder that the tests run in.</summary>
    public static string Root { get; } = FindRoot(AppContext.BaseDirectory);

    /// <summary>The six source projects as test data.</summary>
    public static TheoryData<string> SourceProjects => [.. Arrows.Keys];

    /// <summary>A path beneath the root.</summary>
    public static string At(params ReadOnlySpan<string> parts) => Path.Combine([Root, .. parts]);

    /// <summary>The text of a file beneath the root.</summary>
    public static string Read(params ReadOnlySpan<string> parts) => File.ReadAllText(At(parts));

    /// <summary>The folder that a project of this configuration was built into.</summary>
    public static string Output(string project) =>
        At("artifacts", "bin", project, Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)));

    /// <summary>The assembly that a project of this configuration was built into.</summary>
    public static string Assembly(string project) => Path.Combine(Output(project), $"Condense.{project}.dll");

    /// <summary>Every file that git tracks, relative to the root; skips the test where there is no git or no work tree.</summary>
    public static IReadOnlyList<string> TrackedFiles()
    {
        try
        {
            using var git = Process.Start(new ProcessStartInfo("git", ["ls-files", "-z"]) { WorkingDirectory = Root, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false })!;
            var error = git.StandardError.ReadToEndAsync();
            var files = git.StandardOutput.ReadToEnd().Split('\0', StringSplitOptions.RemoveEmptyEntries);
            git.WaitForExit();
            Assert.SkipUnless(git.ExitCode == 0, $"git ls-files failed here, so nothing says what is tracked: {error.GetAwaiter().GetResult()}");
            // A file that is deleted but not yet committed is still listed.
            return [.. files.Where(file => File.Exists(At(file)))];
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip("git is not installed, so nothing says which files are tracked.");
            throw;
        }
    }

    /// <summary>The tracked C# files of <c>src</c> and <c>tests</c> that people write; not the generated migrations.</summary>
    public static IReadOnlyList<string> CSharpFiles() =>
        [.. TrackedFiles().Where(file => file.EndsWith(".cs", StringComparison.Ordinal) && !file.Contains("/Migrations/", StringComparison.Ordinal))];

    /// <summary>Every project file, relative to the root.</summary>
    public static IReadOnlyList<string> ProjectFiles() => [.. TrackedFiles().Where(file => file.EndsWith(".csproj", StringComparison.Ordinal))];

    private static string FindRoot(string start)
    {
        for (var folder = new DirectoryInfo(start); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Service.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException($"No folder above {start} holds Service.sln.");
    }
}
