using Condense.Models;

namespace Condense.Pipeline.Stages;

/// <summary>The size of a model on disk.</summary>
internal static class ModelBytes
{
    /// <summary>Bytes of the main file and of the parts that the model uses.</summary>
    public static long Of(Model model, ModelParts parts) =>
        new FileInfo(parts.MainPath).Length + model.UsedParts.Sum(name => new FileInfo(parts.Others[name]).Length);
}
