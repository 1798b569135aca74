using System.Globalization;
using Condense.Models;
using Condense.Models.Rewriting.Opsets;

namespace Condense.Pipeline.Recipes;

/// <summary>The opset that a recipe asks for.</summary>
internal static class OpsetChoice
{
    /// <summary>
    /// The model in the opset that is asked for; the same model when none is, or when there is no such opset for it. What is planned and written is that model:
    /// its operators decide what can take a weight's place. O(nodes); reads no weight.
    /// </summary>
    /// <param name="model">The model; stays open while the result is used.</param>
    /// <param name="recipe">What is asked.</param>
    /// <param name="problems">Receives what speaks against the opset.</param>
    /// <exception cref="ModelFormatException">An operator has no faithful form in that opset.</exception>
    public static Model Apply(Model model, CompressionRecipe recipe, List<RecipeProblem> problems)
    {
        if (recipe.Opset is not { } opset)
        {
            return model;
        }

        if (Objection(model, opset) is { } objection)
        {
            problems.Add(new RecipeProblem("/output/opset", objection));
            return model;
        }

        return OpsetConversion.Convert(model, opset);
    }

    private static string? Objection(Model model, long opset) => model.Program switch
    {
        null => $"The model is {OutputFormats.NameOf(model.Format)}, which has no operators: leave the opset out.",
        { Opset: < OpsetConversion.Oldest } => "The model imports no standard operators: leave the opset out.",
        var program when opset < program.Opset || opset > OpsetConversion.Newest => string.Create(
            CultureInfo.InvariantCulture,
            $"The opset {opset} must be between the model's own, {program.Opset}, and {OpsetConversion.Newest}: operators are converted upwards only."),
        _ => null,
    };
}
