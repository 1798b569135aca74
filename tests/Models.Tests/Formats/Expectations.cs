using Xunit;

namespace Condense.Models.Tests.Formats;

/// <summary>What is expected of files, from the tables beside the tests; and the files of other tools, which are not part of the repository.</summary>
internal static class Expectations
{
    /// <summary>The lines of a table, each cut at its tabs.</summary>
    /// <param name="table">The file's name.</param>
    public static string[][] Read(string table)
    {
        using var stream = typeof(Expectations).Assembly.GetManifestResourceStream(table)!;
        using var reader = new StreamReader(stream);
        return [.. reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t'))];
    }

    /// <summary>The path of a file of other tools; where they are absent, the test skips itself.</summary>
    /// <param name="name">The file's name in their folder.</param>
    public static string Find(string name)
    {
        string? root = Environment.GetEnvironmentVariable("CONDENSE_SHARED_DATA");
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); root is null && folder is not null; folder = folder.Parent)
        {
            string beside = Path.Combine(folder.FullName, "..", "shared", "data");
            root = File.Exists(Path.Combine(folder.FullName, "Service.sln")) && Directory.Exists(beside) ? beside : null;
        }

        Assert.SkipWhen(root is null, "Set CONDENSE_SHARED_DATA to the folder of shared models and format files.");
        return Path.Combine(root!, name);
    }
}
