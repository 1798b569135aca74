using Condense.Models;
using Condense.Pipeline.Recipes;
using Condense.Pipeline.Reports;

namespace Condense.Pipeline.Stages;

/// <summary>One run from file to file: load, analyse, plan, compress, package, verify.</summary>
public static class CompressionRun
{
    /// <summary>Compresses a model.</summary>
    /// <param name="input">The model's files.</param>
    /// <param name="outputPath">The file to make. It appears only when it is whole and verified: written beside, then renamed.</param>
    /// <param name="outputFormat">Its format; must equal the input's in this version.</param>
    /// <param name="recipe">What is asked.</param>
    /// <param name="environment">What the host gives.</param>
    /// <param name="progress">Told of stages and layers; may be null.</param>
    /// <param name="cancellationToken">Stops within one layer; nothing is left at the output's path.</param>
    /// <returns>The measured proof.</returns>
    /// <exception cref="ModelFormatException">The model can't be read.</exception>
    /// <exception cref="RecipeException">The request can't be met.</exception>
    /// <exception cref="IOException">The disk failed or is full; nothing is left at the output's path.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static Task<CompressionReport> RunAsync(
        ModelParts input,
        string outputPath,
        ModelFormat outputFormat,
        CompressionRecipe recipe,
        RunEnvironment environment,
        IProgress<StageProgress>? progress,
        CancellationToken cancellationToken) => throw new NotSupportedException();
}
