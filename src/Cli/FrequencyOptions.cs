using System.Text.Json;
using Condense.Pipeline.Recipes;

namespace Condense.Cli;

/// <summary><c>--frequencies</c>, <c>--vocabulary</c> and <c>--exponent</c>.</summary>
internal static class FrequencyOptions
{
    /// <summary>Reads counts, or counts a text.</summary>
    /// <returns>Null when no file is given.</returns>
    /// <exception cref="UsageException">A vocabulary or an exponent stands without a file.</exception>
    /// <exception cref="RecipeException">A file can't be used.</exception>
    public static async Task<TokenFrequencies?> ReadAsync(string? frequencies, string? vocabulary, double? exponent, CancellationToken cancellationToken)
    {
        if (frequencies is null)
        {
            return vocabulary is not null ? throw new UsageException("--vocabulary goes with --frequencies TEXT.")
                : exponent is not null ? throw new UsageException("--exponent goes with --frequencies FILE.")
                : null;
        }

        var read = await ReadCountsAsync(frequencies, vocabulary, cancellationToken);
        return new TokenFrequencies(read.Counts, [], exponent ?? TokenFrequencies.DefaultExponent);
    }

    private static async Task<FrequencyFile> ReadCountsAsync(string frequencies, string? vocabulary, CancellationToken cancellationToken)
    {
        if (vocabulary is null)
        {
            await using var file = File.OpenRead(frequencies);
            return await FrequencyFile.ReadAsync(file, cancellationToken);
        }

        var tokens = await ReadVocabularyAsync(vocabulary, cancellationToken);
        if (await HoldsCountsAsync(frequencies, cancellationToken))
        {
            await using var file = File.OpenRead(frequencies);
            return (await FrequencyFile.ReadAsync(file, cancellationToken)).InOrderOf(tokens);
        }

        using var text = new StreamReader(frequencies);
        return await FrequencyFile.CountAsync(tokens, text, cancellationToken);
    }

    private static async Task<bool> HoldsCountsAsync(string path, CancellationToken cancellationToken)
    {
        const int Looked = 1 << 16;
        using var reader = new StreamReader(path);
        char[] start = new char[Looked];
        int count = await reader.ReadBlockAsync(start, cancellationToken);
        string text = new(start, 0, count);

        // A line that the block cuts says nothing.
        int end = count == Looked ? text.LastIndexOf('\n') : count;
        return FrequencyFile.LooksLikeCounts(end > 0 ? text[..end] : text);
    }

    private static async Task<IReadOnlyList<string>> ReadVocabularyAsync(string path, CancellationToken cancellationToken)
    {
        string text = await File.ReadAllTextAsync(path, cancellationToken);
        if (text.AsSpan().TrimStart() is not ['{' or '[', ..])
        {
            return text.TrimEnd('\r', '\n').Split('\n', StringSplitOptions.TrimEntries);
        }

        try
        {
            using var document = JsonDocument.Parse(text);
            var list = document.RootElement.ValueKind == JsonValueKind.Array ? document.RootElement : document.RootElement.GetProperty("vocab");
            return [.. list.EnumerateArray().Select(token => token.GetString() ?? throw new JsonException("A token is null."))];
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new RecipeException("invalid_field", $"The vocabulary {path} is neither one token a line nor JSON with a list \"vocab\": {exception.Message}");
        }
    }
}
