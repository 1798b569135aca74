using System.Globalization;
using Condense.Models;
using Condense.Models.Rewriting.Opsets;

namespace Condense.Pipeline.Recipes;

/// <summary>The opset that a recipe asks for.</summary>
internal static class OpsetChoice
{
    private const string Pointer = "/output/opset";

    /// <summary>
    /// The model in the opset that is asked for; null when none is. What is planned and written is that model: its operators decide what can take a weight's place.
    /// O(nodes); reads no weight.
    /// </summary>
    /// <param name="model">The model; stays open while the result is used.</param>
    /// <param name="recipe">What is asked.</param>
    /// <exception cref="RecipeException">There is no such opset for this model: <c>invalid_field</c>.</exception>
    /// <exception cref="ModelFormatException">An operator has no faithful form in that opset.</exception>
    public static Model? Apply(Model model, CompressionRecipe recipe)
    {
        if (recipe.Opset is not { } opset)
        {
            return null;
        }

        if (model.Program is not { } program)
        {
            throw Refuse($"The model is {model.Format}, which has no operators: leave the opset out.");
        }

        if (program.Opset < OpsetConversion.Oldest)
        {
            throw Refuse("The model imports no standard operators: leave the opset out.");
        }

        return opset >= program.Opset && opset <= OpsetConversion.Newest
            ? OpsetConversion.Convert(model, opset)
            : throw Refuse(string.Create(
                CultureInfo.InvariantCulture,
                $"The opset {opset} must be between the model's own, {program.Opset}, and {OpsetConversion.Newest}: operators are converted upwards only."));
    }

    private static RecipeException Refuse(string detail) => new("invalid_field", detail, [new RecipeProblem(Pointer, detail)]);
}
