namespace Condense.Pipeline.Recipes;

/// <summary>The request can't be met as it stands: the user's fault, with the words of the API's error codes.</summary>
public sealed class RecipeException : Exception
{
    /// <summary>Names the cause and every place.</summary>
    /// <param name="code">One of the API's codes: <c>invalid_field</c>, <c>unknown_layer</c>, <c>infeasible_target</c>, <c>incompatible_method</c>, <c>non_finite_weights</c>.</param>
    /// <param name="message">What is wrong and what to do.</param>
    /// <param name="problems">Each offending place; may be empty.</param>
    /// <param name="nearest">For <c>infeasible_target</c>: the nearest target that can be met.</param>
    public RecipeException(string code, string message, IReadOnlyList<RecipeProblem>? problems = null, CompressionTarget? nearest = null)
        : base(message)
    {
        Code = code;
        Problems = problems ?? [];
        Nearest = nearest;
    }

    /// <summary>The cause, in the API's words.</summary>
    public string Code { get; }

    /// <summary>Each offending place.</summary>
    public IReadOnlyList<RecipeProblem> Problems { get; }

    /// <summary>For <c>infeasible_target</c>: the nearest target that can be met.</summary>
    public CompressionTarget? Nearest { get; }
}
