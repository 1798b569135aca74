using System.Globalization;
using Condense.Service.Problems;

namespace Condense.Service.Library;

/// <summary>Names of a model's files: keys by which the files know each other, never paths.</summary>
internal static class PartName
{
    /// <summary>The most characters of a name: as many as file systems let a name have.</summary>
    public const int MaxLength = 255;

    /// <summary>Checks a name.</summary>
    /// <param name="name">The name.</param>
    /// <param name="place">Where it stands, for the error.</param>
    /// <exception cref="ProblemException">It is absent, too long, or could be taken for a path: <c>invalid_field</c>.</exception>
    public static string Check(string? name, string place = "?name")
    {
        if (string.IsNullOrEmpty(name))
        {
            throw ProblemException.Field(place, "The file needs the name by which the model's other files know it, for example model.onnx.data.");
        }

        if (name.Length > MaxLength)
        {
            throw ProblemException.Field(place, $"The name has {name.Length.ToString(CultureInfo.InvariantCulture)} characters; {MaxLength} are accepted.");
        }

        return name is "." or ".." || name.AsSpan().IndexOfAny("/\\:") >= 0 || name.Any(char.IsControl)
            ? throw ProblemException.Field(place, "The name is one segment, not a path: no / \\ : or control characters, not . or ...")
            : name;
    }
}
