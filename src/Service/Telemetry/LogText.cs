namespace Condense.Service.Telemetry;

/// <summary>Text of a client's on its way into the log.</summary>
internal static class LogText
{
    private const int MostCharacters = 200;

    /// <summary>The text on one line, and of bearable length: no control character ends it early or paints the terminal.</summary>
    public static string OneLine(string? text)
    {
        text ??= "";
        string start = text.Length > MostCharacters ? text[..MostCharacters] + "…" : text;
        return string.Concat(start.Select(c => char.IsControl(c) || c is '\u2028' or '\u2029' ? '\uFFFD' : c));
    }
}
