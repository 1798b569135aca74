using System.Globalization;
using System.Text;

namespace Condense.Pipeline.Reports;

/// <summary>Text from files, made fit for people's eyes: names can hold anything.</summary>
internal static class ReportText
{
    private const int Head = 80;
    private const int Tail = 40;

    /// <summary>A name at a length that a page can bear: the middle of a long one is left out, as names differ at their ends.</summary>
    public static string Short(string name)
    {
        if (name.Length <= Head + Tail)
        {
            return name;
        }

        int head = char.IsHighSurrogate(name[Head - 1]) ? Head - 1 : Head;
        int tail = char.IsLowSurrogate(name[^Tail]) ? Tail - 1 : Tail;
        return FormattableString.Invariant($"{name[..head]} … {name[^tail..]} ({name.Length:N0} characters)");
    }

    /// <summary>Appends text so that every character is seen: controls, line ends and marks that turn the direction of writing become <c>\u….</c></summary>
    /// <param name="target">Where to.</param>
    /// <param name="text">The text.</param>
    /// <param name="special">What stands for a character in the target's language; null where it stands for itself.</param>
    public static void AppendVisible(StringBuilder target, string text, Func<char, string?> special)
    {
        foreach (var rune in text.EnumerateRunes())
        {
            if (IsHidden(rune))
            {
                target.Append(CultureInfo.InvariantCulture, $"\\u{rune.Value:x4}");
            }
            else if (rune.IsBmp && special((char)rune.Value) is { } replacement)
            {
                target.Append(replacement);
            }
            else
            {
                target.Append(rune.ToString());
            }
        }
    }

    /// <summary>A value of an enumeration as JSON writes it.</summary>
    public static string Word(Enum value)
    {
        string name = value.ToString();
        return char.ToLowerInvariant(name[0]) + name[1..];
    }

    /// <summary>Controls, line and paragraph separators, and the marks, embeddings, overrides and isolates of bidirectional text.</summary>
    private static bool IsHidden(Rune rune) =>
        Rune.IsControl(rune) || rune.Value is 0x061C or 0x200E or 0x200F or 0x2028 or 0x2029 or (>= 0x202A and <= 0x202E) or (>= 0x2066 and <= 0x2069) or 0xFEFF;
}
