using Condense.Models;
using Condense.Models.Rewriting;

namespace Condense.Pipeline.Stages;

/// <summary>Writes the dense form of a compressed model.</summary>
public static class ModelExpansion
{
    /// <summary>
    /// Writes the original with the weights that the compressed model computes with: the same names, shapes and operators, for runtimes and tools that know no
    /// factors. O(elements), for products O(elements·rank); memory: the largest weight and its structure.
    /// </summary>
    /// <param name="original">The files of the model that was compressed.</param>
    /// <param name="compressed">The files of what came of it.</param>
    /// <param name="outputPath">The file to make. It appears only when it is whole: written beside, then renamed.</param>
    /// <param name="cancellationToken">Stops between two buffers; nothing is left at the output's path.</param>
    /// <exception cref="ModelFormatException">A model can't be read, or the compressed one was not made of the original.</exception>
    /// <exception cref="IOException">The disk failed or is full; nothing is left at the output's path.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static async Task RunAsync(ModelParts original, ModelParts compressed, string outputPath, CancellationToken cancellationToken)
    {
        using var before = ModelReader.Open(original, ReadLimits.Default);
        using var after = ModelReader.Open(compressed, ReadLimits.Default);
        using var dense = ModelRewriter.Expand(before, after);
        await using var staging = new StagedOutput(outputPath);
        staging.Wrote(await ModelWriter.WriteAsync(dense, staging.MainPath, cancellationToken));
        staging.Publish();
    }
}
