namespace Condense.Pipeline.Recipes;

/// <summary>Settings of <see cref="MethodNames.Float16"/>: none.</summary>
internal sealed record Float16Choice : MethodSettings
{
    /// <inheritdoc/>
    protected override void Check(string pointer, ICollection<RecipeProblem> problems)
    {
    }
}
