using System.Globalization;
using Condense.Service.Problems;

namespace Condense.Service.Library;

/// <summary>Names that users give to models and datasets: text for people, never a path, never markup.</summary>
internal static class ResourceName
{
    /// <summary>The most characters of a name.</summary>
    public const int MaxLength = 200;

    /// <summary>Checks a name; null and empty mean none.</summary>
    /// <param name="name">The name.</param>
    /// <param name="pointer">Where it stands.</param>
    /// <exception cref="ProblemException">It is too long, or has control characters: <c>invalid_field</c>.</exception>
    public static string? Check(string? name, string pointer = "?name")
    {
        if (string.IsNullOrEmpty(name))
        {
            return null;
        }

        if (name.Length > MaxLength)
        {
            throw ProblemException.Field(pointer, $"The name has {name.Length.ToString(CultureInfo.InvariantCulture)} characters; {MaxLength} are accepted.");
        }

        return name.Any(char.IsControl) ? throw ProblemException.Field(pointer, "The name has control characters, for example a line break.") : name;
    }
}
