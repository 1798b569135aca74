using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Condense.Pipeline.Recipes;

/// <summary>
/// Token counts from a file: JSON <c>{"vocab": […], "counts": […]}</c> (the vocabulary may be absent), or two columns <c>token⇥count</c>, one
/// token a line, in the order of the table's rows.
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

        return text.AsSpan().TrimStart() is ['{', ..] ? FromJson(text) : FromColumns(text);
    }

    /// <summary>Counts the tokens of a text: words separated by white space, in lower or upper case as they stand. O(characters).</summary>
    /// <param name="vocabulary">The tokens in row order.</param>
    /// <param name="text">The text.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <returns>One count per token of the vocabulary; words outside it count for <c>&lt;unk&gt;</c> where the vocabulary has that.</returns>
    public static async Task<FrequencyFile> CountAsync(IReadOnlyList<string> vocabulary, TextReader text, CancellationToken cancellationToken)
    {
        var rows = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int row = 0; row < vocabulary.Count; row++)
        {
            rows.TryAdd(vocabulary[row], row);
        }

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

    private static FrequencyFile FromJson(string text)
    {
        Document? document;
        try
        {
            document = JsonSerializer.Deserialize<Document>(text, s_json);
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

            int tab = line.LastIndexOf('\t');
            if (tab < 0 || !double.TryParse(line[(tab + 1)..], NumberStyles.Float, CultureInfo.InvariantCulture, out double count))
            {
                throw Invalid($"/lines/{number}", $"Line {number} is not a token, a tab and a count. JSON with \"counts\" is read too; a text is counted only together with a vocabulary.");
            }

            Check(count, $"/lines/{number}");
            vocabulary.Add(line[..tab].ToString());
            counts.Add(count);
        }

        return counts.Count > 0 ? new FrequencyFile(vocabulary, counts) : throw Invalid("/", "The file holds no counts.");
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

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { MaxDepth = 8 };

    private sealed record Document(List<string>? Vocab, List<double>? Counts);
}
