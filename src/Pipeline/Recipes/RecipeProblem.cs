namespace Condense.Pipeline.Recipes;

/// <summary>One offending place of a recipe.</summary>
/// <param name="Pointer">A JSON pointer into the job document, for example <c>/layers/0/match</c>.</param>
/// <param name="Detail">What is wrong there, with the nearest valid names where that helps.</param>
public sealed record RecipeProblem(string Pointer, string Detail);
