namespace Condense.Pipeline.Recipes;

/// <summary>Every method that this version has.</summary>
public static class MethodCatalogue
{
    /// <summary>The methods, in the order of their names.</summary>
    public static IReadOnlyList<MethodDescription> All { get; } = [];
}
