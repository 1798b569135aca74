using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Condense.Pipeline.Recipes;

/// <summary>
/// Token counts from a file: JSON <c>{"vocab": […], "counts": […]}</c> (the vocabulary may be absent), a JSON list of counts, or two columns
/// <c>token count</c>, apart by a tab or spaces, one token a line. They stand in the order of the table's rows, or are put there by <see cref="InOrderOf"/>.
/// </summary>
/// <param name="Vocabulary">The tokens in row order; empty when the file has none.</param>
/// <param name="Counts">The counts in row order.</param>
public sealed record FrequencyFile(IReadOnlyList<string> Vocabulary, IReadOnlyList<double> Counts)
{
    /// <summary>Reads either form; which one is found from the first character. O(bytes).</summary>
    /// <param name="stream">The file.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <exception cref="RecipeException">The file is neither, or a count is negative or not finite: <c>invalid_field</c> with line or index.</exception>
    public static async Task<FrequencyFile> ReadAsync(Stream stream, CancellationToken cancellationToken)
    {
        using var reader = new StreamReader(stream, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true), detectEncodingFromByteOrderMarks: true, leaveOpen: true);
        string text;
        try
        {
            text = await reader.ReadToEndAsync(cancellationToken);
        }
        catch (DecoderFallbackException exception)
        {
            throw Invalid("/", $"The counts are not UTF-8 text: {exception.Message}");
        }

        return LooksLikeJson(text) ? FromJson(text) : FromColumns(text);
    }

    /// <summary>Whether a text holds counts, and is not one to be counted: JSON, or lines that end in numbers. Looks at the first hundred lines.</summary>
    /// <param name="text">The text, or its beginning.</param>
    public static bool LooksLikeCounts(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (LooksLikeJson(text))
        {
            return true;
        }

        int seen = 0;
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            if (!line.IsWhiteSpace() && !TrySplit(line, out _, out _))
            {
                return false;
            }

            seen += line.IsWhiteSpace() ? 0 : 1;
            if (seen == LinesLookedAt)
            {
                break;
            }
        }

        return seen > 0;
    }

    /// <summary>The counts by the rows of a vocabulary. O(tokens).</summary>
    /// <param name="vocabulary">The tokens in row order.</param>
    /// <returns>One count per row; 0 for tokens that the file does not name. What the vocabulary lacks counts for <c>&lt;unk&gt;</c> where there is one.</returns>
    /// <exception cref="RecipeException">No token is in the vocabulary, or counts without tokens are not as many as its rows: <c>invalid_field</c>.</exception>
    public FrequencyFile InOrderOf(IReadOnlyList<string> vocabulary)
    {
        ArgumentNullException.ThrowIfNull(vocabulary);
        if (Vocabulary.Count == 0)
        {
            return Counts.Count == vocabulary.Count
                ? this with { Vocabulary = vocabulary }
                : throw Invalid("/counts", $"There are {Counts.Count} counts without tokens, and {vocabulary.Count} tokens in the vocabulary.");
        }

        var rows = RowsOf(vocabulary);
        int unknown = rows.GetValueOrDefault("<unk>", -1);
        double[] counts = new double[vocabulary.Count];
        bool found = false;
        for (int i = 0; i < Counts.Count; i++)
        {
            bool known = rows.TryGetValue(Vocabulary[i], out int row);
            found |= known;
            if (known || unknown >= 0)
            {
                counts[known ? row : unknown] += Counts[i];
            }
        }

        return found ? new FrequencyFile(vocabulary, counts) : throw Invalid("/vocab", "None of the tokens with counts is in the vocabulary.");
    }

    /// <summary>Counts the tokens of a text: words separated by white space, in lower or upper case as they stand. O(characters).</summary>
    /// <param name="vocabulary">The tokens in row order.</param>
    /// <param name="text">The text.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <returns>One count per token of the vocabulary; words outside it count for <c>&lt;unk&gt;</c> where the vocabulary has that.</returns>
    public static async Task<FrequencyFile> CountAsync(IReadOnlyList<string> vocabulary, TextReader text, CancellationToken cancellationToken)
    {
        var rows = RowsOf(vocabulary);
        double[] counts = new double[vocabulary.Count];
        int unknown = rows.GetValueOrDefault("<unk>", -1);
        int end = rows.GetValueOrDefault("<eos>", -1);
        while (await text.ReadLineAsync(cancellationToken) is { } line)
        {
            foreach (string word in line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
            {
                int row = rows.GetValueOrDefault(word, unknown);
                if (row >= 0)
                {
                    counts[row]++;
                }
            }

            if (end >= 0)
            {
                counts[end]++;
            }
        }

        return new FrequencyFile(vocabulary, counts);
    }

    private static bool LooksLikeJson(string text) => text.AsSpan().TrimStart() is ['{' or '[', ..];

    private static Dictionary<string, int> RowsOf(IReadOnlyList<string> vocabulary)
    {
        var rows = new Dictionary<string, int>(vocabulary.Count, StringComparer.Ordinal);
        for (int row = 0; row < vocabulary.Count; row++)
        {
            rows.TryAdd(vocabulary[row], row);
        }

        return rows;
    }

    private static FrequencyFile FromJson(string text)
    {
        Document? document;
        try
        {
            document = text.AsSpan().TrimStart() is ['[', ..]
                ? new Document(null, JsonSerializer.Deserialize<List<double>>(text, s_json))
                : JsonSerializer.Deserialize<Document>(text, s_json);
        }
        catch (JsonException exception)
        {
            throw Invalid(exception.Path is { Length: > 1 } path ? path.Replace("$", "", StringComparison.Ordinal).Replace('.', '/') : "/", $"The counts are not the JSON that is expected: {exception.Message}");
        }

        if (document?.Counts is not { Count: > 0 } counts)
        {
            throw Invalid("/counts", "The list \"counts\" is missing or empty.");
        }

        for (int i = 0; i < counts.Count; i++)
        {
            Check(counts[i], $"/counts/{i}");
        }

        if (document.Vocab is { } vocabulary && vocabulary.Count != counts.Count)
        {
            throw Invalid("/vocab", $"There are {vocabulary.Count} tokens and {counts.Count} counts.");
        }

        return new FrequencyFile(document.Vocab ?? [], counts);
    }

    private static FrequencyFile FromColumns(string text)
    {
        var vocabulary = new List<string>();
        var counts = new List<double>();
        int number = 0;
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            number++;
            if (line.IsWhiteSpace())
            {
                continue;
            }

            if (!TrySplit(line, out var token, out double count))
            {
                throw Invalid($"/lines/{number}", $"Line {number} is not a token and a count, apart by a tab or spaces. JSON with \"counts\" is read too; a text is counted only together with a vocabulary.");
            }

            Check(count, $"/lines/{number}");
            vocabulary.Add(token.ToString());
            counts.Add(count);
        }

        return counts.Count > 0 ? new FrequencyFile(vocabulary, counts) : throw Invalid("/", "The file holds no counts.");
    }

    /// <summary>A token and its count: behind the last tab, or as the second of two words.</summary>
    private static bool TrySplit(ReadOnlySpan<char> line, out ReadOnlySpan<char> token, out double count)
    {
        int tab = line.LastIndexOf('\t');
        var trimmed = tab < 0 ? line.Trim() : line;
        int at = tab < 0 ? trimmed.IndexOf(' ') : tab;
        token = at < 0 ? [] : trimmed[..at];
        count = 0;
        return at >= 0 && double.TryParse(trimmed[(at + 1)..], NumberStyles.Float, CultureInfo.InvariantCulture, out count);
    }

    private static void Check(double count, string pointer)
    {
        if (!double.IsFinite(count) || count < 0)
        {
            throw Invalid(pointer, $"The count {count.ToString(CultureInfo.InvariantCulture)} is negative or not finite.");
        }
    }

    private static RecipeException Invalid(string pointer, string detail) =>
        new("invalid_field", $"The token counts can't be used: {detail}", [new RecipeProblem(pointer, detail)]);

    private const int LinesLookedAt = 100;

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { MaxDepth = 8 };

    private sealed record Document(List<string>? Vocab, List<double>? Counts);
}
