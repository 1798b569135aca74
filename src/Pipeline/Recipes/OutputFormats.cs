using Condense.Models;

namespace Condense.Pipeline.Recipes;

/// <summary>Which format a result may have, by that of the model. What carries a graph keeps it; pickles are never written.</summary>
public static class OutputFormats
{
    private static readonly ModelFormat[] s_withGraph = [ModelFormat.Onnx];

    private static readonly ModelFormat[] s_withoutGraph = [ModelFormat.Safetensors, ModelFormat.Npz];

    /// <summary>The format of a result when none is asked for: the model's own where it can be written and hold compressed layers, else safetensors.</summary>
    /// <param name="input">The model's format.</param>
    public static ModelFormat DefaultOf(ModelFormat input) => Of(input).Contains(input) ? input : ModelFormat.Safetensors;

    /// <summary>The formats that a result may have.</summary>
    /// <param name="input">The model's format.</param>
    public static IReadOnlyList<ModelFormat> Of(ModelFormat input) => input == ModelFormat.Onnx ? s_withGraph : s_withoutGraph;

    /// <summary>A format as the API writes it.</summary>
    /// <param name="format">The format.</param>
    public static string NameOf(ModelFormat format) => format.ToString().ToLowerInvariant();

    /// <summary>Adds what speaks against a format for a model's result. O(tensors).</summary>
    internal static void Check(Model model, ModelFormat asked, List<RecipeProblem> problems)
    {
        if (!Of(model.Format).Contains(asked))
        {
            string offered = string.Join(" or ", Of(model.Format).Select(NameOf));
            problems.Add(new RecipeProblem("/output/format", $"{Reason(model.Format, asked)} Write {offered}, or leave the format out."));
            return;
        }

        if (asked == model.Format)
        {
            return;
        }

        foreach (var group in model.Tensors.Where(tensor => !ModelWriter.Holds(asked, tensor.DType)).GroupBy(tensor => tensor.DType).OrderBy(group => group.Key))
        {
            problems.Add(new RecipeProblem(
                "/output/format",
                $"{NameOf(asked)} has no elements of type {group.Key}, which {string.Join(", ", group.Select(tensor => tensor.Name))} {(group.Skip(1).Any() ? "have" : "has")}."));
        }
    }

    private static string Reason(ModelFormat input, ModelFormat asked) => asked switch
    {
        ModelFormat.PyTorch => "A PyTorch file is a pickle, and pickles are never written.",
        ModelFormat.Npy => "A .npy file holds one plain array, and no compressed layer.",
        ModelFormat.Onnx => $"The model is {NameOf(input)} and has no graph, which ONNX needs.",
        _ => $"The model is ONNX, and {NameOf(asked)} can't hold its graph.",
    };
}
