using Condense.Models.Tensors;
using Condense.Pipeline.Recipes;

namespace Condense.Pipeline.Stages;

/// <summary>No method has an answer for a weight that is not a number.</summary>
internal static class FiniteWeights
{
    /// <summary>Reads tensors once, each until the first offence. O(bytes), a buffer of 1 MiB.</summary>
    /// <exception cref="RecipeException">A tensor holds NaN or an infinity: <c>non_finite_weights</c>, with every such tensor and the first index in it.</exception>
    public static void Check(IEnumerable<Tensor> tensors, CancellationToken cancellationToken)
    {
        var problems = new List<RecipeProblem>();
        foreach (var tensor in tensors)
        {
            cancellationToken.ThrowIfCancellationRequested();
            long index = WeightReader.FindNonFinite(tensor);
            if (index >= 0)
            {
                problems.Add(new RecipeProblem($"/tensors/{tensor.Name}/{index}", $"Tensor {tensor.Name} ({tensor.DType}, {tensor.Shape}) holds NaN or an infinity at index {index}."));
            }
        }

        if (problems.Count > 0)
        {
            throw new RecipeException("non_finite_weights", $"{string.Join(" ", problems.Select(problem => problem.Detail))} Export the model again from a checkpoint with finite weights.", problems);
        }
    }
}
