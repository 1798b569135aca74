using System.Text.RegularExpressions;
using Xunit;

namespace Condense.Conventions.Tests;

/// <summary>Tracked files speak of the product: not of a machine, and of no place that packages come from.</summary>
public sealed partial class TrackedFilesTests
{
    // In two pieces each, or this file would offend against itself.
    private static readonly string[] s_registries =
    [
        "nuget" + ".org", "registry." + "npmjs", "npmjs" + ".com", "npmjs" + ".org", "yarnpkg" + ".com", "pypi" + ".org", "python" + "hosted.org",
        "deb.debian" + ".org", "security.debian" + ".org", "archive.ubuntu" + ".com", "mcr.microsoft" + ".com", "docker" + ".io", "ghcr" + ".io", "quay" + ".io",
        "crates" + ".io", "proxy.golang" + ".org", "pkgs.dev.azure" + ".com", "maven" + ".org",
    ];

    [Fact]
    public void No_file_names_a_path_of_one_machine() =>
        Offences.None(
            from file in Texts()
            from line in Lines(file)
            where MachinePath().IsMatch(line.Text)
            select $"{file}({line.Number}): {line.Text.Trim()}");

    [Fact]
    public void No_file_names_a_package_registry() =>
        Offences.None(
            from file in Texts()
            from line in Lines(file)
            // An image has no other name than its address.
            where Path.GetFileName(file) is not "Dockerfile" || !line.Text.StartsWith("FROM ", StringComparison.Ordinal)
            where s_registries.Any(host => line.Text.Contains(host, StringComparison.OrdinalIgnoreCase))
            select $"{file}({line.Number}): {line.Text.Trim()}");

    [Fact]
    public void A_lock_file_carries_no_addresses()
    {
        var locks = Repository.TrackedFiles().Where(file => Path.GetFileName(file) is "package-lock.json" or "packages.lock.json").ToList();
        Assert.Contains("tests/package-lock.json", locks);
        Assert.All(locks, file => Assert.DoesNotContain("\"resolved\"", Repository.Read(file), StringComparison.Ordinal));
        // And the next one that is written carries none either.
        Assert.Contains("omit-lockfile-registry-resolved=true", Repository.Read("tests", ".npmrc"), StringComparison.Ordinal);
    }

    [Fact]
    public void No_source_of_packages_is_configured() =>
        Offences.None(
            Repository.TrackedFiles().Where(file =>
                string.Equals(Path.GetFileName(file), "nuget.config", StringComparison.OrdinalIgnoreCase)
                || (Path.GetFileName(file) is ".npmrc" && Repository.Read(file).Contains("registry=", StringComparison.Ordinal))));

    private static IEnumerable<(int Number, string Text)> Lines(string file) => File.ReadLines(Repository.At(file)).Select((text, index) => (index + 1, text));

    private static IEnumerable<string> Texts() => Repository.TrackedFiles().Where(file => !IsBinary(Repository.At(file)));

    // As git tells: a zero byte near the start.
    private static bool IsBinary(string path)
    {
        Span<byte> start = stackalloc byte[8000];
        using var file = File.OpenRead(path);
        return start[..file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)].Contains((byte)0);
    }

    [GeneratedRegex(@"(?:^|[\s""'`=(:])(?:/(?:work|root|Users|builds)/|/home/(?!app\b)\w|[A-Za-z]:\\(?:Users|work)\b)", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex MachinePath();
}
