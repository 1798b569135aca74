using System.Globalization;
using Condense.Service.Problems;

namespace Condense.Service.Hosting;

/// <summary>Names and values of the clients' own, on jobs and models: kept, given back and searched, never interpreted.</summary>
internal static class ClientMetadata
{
    /// <summary>The most entries.</summary>
    public const int MaxEntries = 50;

    /// <summary>The most characters of a name. An index holds a name and a value in one row, and PostgreSQL takes no row of more than 2,704 bytes there.</summary>
    public const int MaxNameLength = 100;

    /// <summary>The most characters of a value.</summary>
    public const int MaxValueLength = 500;

    /// <summary>What a name follows in a query: <c>?metadata.git=4f2a</c>.</summary>
    public const string QueryPrefix = "metadata.";

    /// <summary>Checks names and values; offending ones go to the list.</summary>
    /// <param name="errors">The list.</param>
    /// <param name="pointer">Where they stand, before each name.</param>
    /// <param name="metadata">The names and values.</param>
    public static void Check(List<FieldError> errors, string pointer, IReadOnlyDictionary<string, string> metadata)
    {
        if (metadata.Count > MaxEntries)
        {
            errors.Add(new FieldError(pointer.TrimEnd('/', '.'), $"At most {MaxEntries} entries belong here; there are {metadata.Count.ToString(CultureInfo.InvariantCulture)}."));
            return;
        }

        foreach (var (name, value) in metadata)
        {
            if (name.Length is 0 or > MaxNameLength || name.Any(char.IsControl))
            {
                errors.Add(new FieldError(pointer.TrimEnd('/', '.'), $"Names have 1 to {MaxNameLength} characters, none of them a control character."));
            }
            else if (value is null || value.Length > MaxValueLength || value.Contains('\0', StringComparison.Ordinal))
            {
                // The annotations promise no nulls, but the serializer does not look into collections.
                errors.Add(new FieldError($"{pointer}{JsonPointer.Escape(name)}", $"A text of at most {MaxValueLength} characters belongs here, without U+0000."));
            }
        }
    }

    /// <summary>The names and values of a query.</summary>
    /// <exception cref="ProblemException">One can't be used, or stands twice: <c>invalid_field</c>.</exception>
    public static Dictionary<string, string> OfQuery(HttpRequest request)
    {
        var errors = new List<FieldError>();
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, values) in request.Query.Where(pair => pair.Key.StartsWith(QueryPrefix, StringComparison.Ordinal)))
        {
            metadata.Add(key[QueryPrefix.Length..], values.ToString());
            if (values.Count > 1)
            {
                errors.Add(new FieldError($"?{key}", "The name stands twice."));
            }
        }

        Check(errors, $"?{QueryPrefix}", metadata);
        ProblemException.ThrowIfAny(errors);
        return metadata;
    }
}
