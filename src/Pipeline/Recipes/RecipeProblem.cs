namespace Condense.Pipeline.Recipes;

/// <summary>One offending place of a recipe.</summary>
/// <param name="Pointer">A JSON pointer into the job document, for example <c>/layers/0/match</c>.</param>
/// <param name="Detail">What is wrong there, with the nearest valid names where that helps.</param>
/// <param name="Code">One of the API's codes; of several in one request, the one that stands first in <see cref="Precedence"/> names the whole.</param>
public sealed record RecipeProblem(string Pointer, string Detail, string Code = RecipeProblem.InvalidField)
{
    /// <summary>A field can't be used, whatever the model.</summary>
    public const string InvalidField = "invalid_field";

    /// <summary>A pattern that no layer matches.</summary>
    public const string UnknownLayer = "unknown_layer";

    /// <summary>A method that does not apply to a layer.</summary>
    public const string IncompatibleMethod = "incompatible_method";

    /// <summary>The codes, the gravest first: what is wrong with the document comes before what is wrong for this model.</summary>
    internal static IReadOnlyList<string> Precedence { get; } = [InvalidField, UnknownLayer, IncompatibleMethod];

    /// <summary>Throws when there are problems, all of them in one exception. O(problems).</summary>
    /// <exception cref="RecipeException">There are.</exception>
    internal static void ThrowIfAny(IReadOnlyList<RecipeProblem> problems)
    {
        if (problems.Count == 0)
        {
            return;
        }

        string code = Precedence.FirstOrDefault(candidate => problems.Any(problem => string.Equals(problem.Code, candidate, StringComparison.Ordinal))) ?? problems[0].Code;
        string what = problems.All(problem => string.Equals(problem.Code, code, StringComparison.Ordinal))
            ? code switch
            {
                InvalidField => "The request has fields that can't be used",
                UnknownLayer => "The request names layers that the model does not have",
                _ => "The request asks for what does not apply",
            }
            : "The request can't be met as it stands";
        throw new RecipeException(code, $"{what}: {string.Join(" ", problems.Select(problem => $"{problem.Pointer}: {problem.Detail}"))}", problems);
    }
}
