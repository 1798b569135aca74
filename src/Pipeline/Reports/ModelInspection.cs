using Condense.Models;

namespace Condense.Pipeline.Reports;

/// <summary>Looks at a model.</summary>
public static class ModelInspection
{
    /// <summary>Describes a model; reads every weight once. O(bytes) time, memory of the largest tensor.</summary>
    /// <param name="input">The model's files.</param>
    /// <param name="cancellationToken">Stops between layers.</param>
    /// <exception cref="ModelFormatException">The model can't be read.</exception>
    /// <exception cref="Recipes.RecipeException">A weight holds NaN or an infinity: <c>non_finite_weights</c>.</exception>
    public static Task<ModelDescription> InspectAsync(ModelParts input, CancellationToken cancellationToken) => throw new NotSupportedException();
}
