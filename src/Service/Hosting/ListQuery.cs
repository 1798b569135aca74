using System.Globalization;
using Condense.Service.Problems;
using Condense.Service.Storage;

namespace Condense.Service.Hosting;

/// <summary>What lists are asked. A misspelt filter is refused: to ignore it would be to list everything.</summary>
internal static class ListQuery
{
    private static readonly string[] s_ofPages = ["limit", "cursor"];

    /// <summary>Refuses parameters that a list does not know, or that stand twice.</summary>
    /// <param name="request">The request.</param>
    /// <param name="known">The list's filters; one that ends in a dot stands for all names that begin with it.</param>
    /// <exception cref="ProblemException">There is one: <c>invalid_field</c>.</exception>
    public static void Check(HttpRequest request, params ReadOnlySpan<string> known)
    {
        var errors = new List<FieldError>();
        string[] names = [.. known, .. s_ofPages];
        foreach (var (key, values) in request.Query)
        {
            if (!Array.Exists(names, name => name.EndsWith('.') ? key.StartsWith(name, StringComparison.Ordinal) : string.Equals(key, name, StringComparison.OrdinalIgnoreCase)))
            {
                errors.Add(new FieldError($"?{key}", $"This list has no such parameter; it has {string.Join(", ", names)}."));
            }
            else if (values.Count > 1)
            {
                errors.Add(new FieldError($"?{key}", "The parameter stands twice."));
            }
        }

        ProblemException.ThrowIfAny(errors);
    }

    /// <summary>The value of a parameter whose values are the words of an enum.</summary>
    /// <exception cref="ProblemException">It is none of them: <c>invalid_field</c>.</exception>
    public static T? Word<T>(string name, string? text)
        where T : struct, Enum
    {
        if (text is null)
        {
            return null;
        }

        string[] words = Words<T>();
        int found = Array.FindIndex(words, word => string.Equals(word, text, StringComparison.OrdinalIgnoreCase));
        return found >= 0
            ? Enum.GetValues<T>()[found]
            : throw ProblemException.Field($"?{name}", $"One of {string.Join(", ", words)} belongs here.");
    }

    /// <summary>The words of an enum, as documents write them.</summary>
    public static string[] Words<T>()
        where T : struct, Enum => [.. Enum.GetNames<T>().Select(word => char.ToLowerInvariant(word[0]) + word[1..])];

    /// <summary>The value of a parameter that is a moment.</summary>
    /// <exception cref="ProblemException">It is none: <c>invalid_field</c>.</exception>
    public static DateTimeOffset? Moment(string name, string? text)
    {
        if (text is null)
        {
            return null;
        }

        // In a query, a plus sign that was not encoded arrives as a space.
        return Hosting.Moment.TryParse(text.Replace(' ', '+'), out var moment)
            ? moment
            : throw ProblemException.Field($"?{name}", Hosting.Moment.Expected);
    }

    /// <summary>The value of a parameter that is an id.</summary>
    /// <exception cref="ProblemException">It is none: <c>invalid_field</c>.</exception>
    public static string? Id(string name, string? text) =>
        text is null || IdSource.IsId(text) ? text : throw ProblemException.Field($"?{name}", "An id belongs here, as the service has given it out.");

    /// <summary>The value of a parameter that is a digest in hex.</summary>
    /// <exception cref="ProblemException">It is none: <c>invalid_field</c>.</exception>
    public static string? Sha256(string name, string? text)
    {
        const int Digits = 64;
        return text is null || (text.Length == Digits && text.All(char.IsAsciiHexDigitLower))
            ? text
            : throw ProblemException.Field($"?{name}", string.Create(CultureInfo.InvariantCulture, $"A SHA-256 belongs here, {Digits} hex digits in lower case."));
    }
}
