using System.Text.RegularExpressions;
using Xunit;

namespace Condense.Conventions.Tests;

/// <summary>What every source file keeps to.</summary>
public sealed partial class SourceTests
{
    private const int MostLines = 600;

    // Written in two pieces, or this file would offend against itself.
    private static readonly string[] s_unfinished = ["TO" + "DO", "FIX" + "ME", "HA" + "CK", "NotImplemented" + "Exception"];

    private static readonly string[] s_emptyNames = ["Helper", "Helpers", "Util", "Utils", "Utility", "Utilities", "Manager", "Managers", "Common"];

    [Fact]
    public void No_file_is_too_long_to_read() =>
        Offences.None(Repository.CSharpFiles().Where(file => File.ReadLines(Repository.At(file)).Count() > MostLines));

    [Fact]
    public void No_folder_or_file_is_named_for_nothing() =>
        Offences.None(Repository.TrackedFiles().Where(file => file.Split('/', '.').Any(part => s_emptyNames.Any(name => part.EndsWith(name, StringComparison.Ordinal)))));

    [Fact]
    public void No_type_is_named_for_nothing() =>
        Offences.None(
            from file in Repository.CSharpFiles()
            from Match match in TypeDeclaration().Matches(Repository.Read(file))
            let name = match.Groups["name"].Value
            where s_emptyNames.Any(empty => name.EndsWith(empty, StringComparison.Ordinal))
            select $"{file}: {name}");

    [Fact]
    public void A_public_type_has_a_file_of_its_name() =>
        Offences.None(
            from file in Repository.CSharpFiles()
            let name = Path.GetFileName(file).Split('.')[0]
            let declared = TypeDeclaration().Matches(Repository.Read(file)).Where(IsPublic).Select(match => match.Groups["name"].Value).ToList()
            where declared.Count > 0 && !declared.Contains(name, StringComparer.Ordinal)
            select $"{file} declares {string.Join(", ", declared)}");

    [Fact]
    public void Nothing_is_left_for_later() =>
        Offences.None(
            from file in Repository.TrackedFiles().Where(IsWritten)
            from line in Lines(file)
            where s_unfinished.Any(word => Regex.IsMatch(line.Text, $@"\b{word}\b", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1)))
            select $"{file}({line.Number}): {line.Text.Trim()}");

    [Fact]
    public void No_test_is_switched_off()
    {
        // A test that can't run skips itself at run time, with the reason that it found.
        var pattern = new Regex(@"\[\s*(Fact|Theory)[^\]]*\bSk" + @"ip\s*=", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1));
        Offences.None(Repository.CSharpFiles().Where(file => pattern.IsMatch(Repository.Read(file))));
    }

    [Fact]
    public void A_suppression_gives_its_reason_beside_it() =>
        Offences.None(
            from file in Repository.CSharpFiles()
            from line in Lines(file)
            where (Pragma().IsMatch(line.Text) && !Regex.IsMatch(line.Text, @"//\s*\w+", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1)))
                || (SuppressMessage().IsMatch(line.Text) && !line.Text.Contains("Justification = \"", StringComparison.Ordinal))
            select $"{file}({line.Number}): {line.Text.Trim()}");

    [Fact]
    public void Suppressions_stay_rare()
    {
        var suppressions = (
            from file in Repository.CSharpFiles()
            from line in Lines(file)
            where Pragma().IsMatch(line.Text) || SuppressMessage().IsMatch(line.Text)
            select $"{file}({line.Number})").ToList();
        Assert.True(suppressions.Count <= 10, $"{suppressions.Count} suppressions; more than ten is a habit: {string.Join(", ", suppressions)}");
    }

    [Fact]
    public void Text_ends_its_lines_as_the_editor_settings_say() =>
        Offences.None(
            Repository.TrackedFiles().Where(IsWritten).Where(file =>
            {
                var text = Repository.Read(file);
                return text.Contains('\r', StringComparison.Ordinal) || (text.Length > 0 && !text.EndsWith('\n'));
            }));

    private static IEnumerable<(int Number, string Text)> Lines(string file) => File.ReadLines(Repository.At(file)).Select((text, index) => (index + 1, text));

    // At the left margin: a nested type lives in its owner's file.
    private static bool IsPublic(Match type) => type.Value.TrimStart('\n').StartsWith("public ", StringComparison.Ordinal);

    private static bool IsWritten(string file) =>
        !file.StartsWith("samples/", StringComparison.Ordinal)
        && (Path.GetExtension(file) is ".cs" or ".csproj" or ".props" or ".sh" or ".md" or ".py" or ".cjs" or ".js" or ".yml" or ".yaml" || Path.GetFileName(file) is "Dockerfile" or "run");

    [GeneratedRegex(@"^\s*(?:(?:public|internal|private|protected|file|static|sealed|abstract|partial|readonly|ref|unsafe|new)\s+)*(?:class|struct|interface|enum|record(?:\s+(?:class|struct))?|delegate\s+[\w<>\[\],?]+)\s+(?<name>\w+)", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.Multiline, 1000)]
    private static partial Regex TypeDeclaration();

    [GeneratedRegex(@"^\s*#pragma warning disable", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Pragma();

    [GeneratedRegex(@"^\s*\[.*(?:Unconditional)?SuppressMessage\(", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex SuppressMessage();
}
