using Condense.Models;

namespace Condense.Service.Jobs;

/// <summary>The files of a result: weights that one file can't hold lie in another.</summary>
internal static class ResultParts
{
    /// <summary>The file that a run has made, and those beside it that it refers to.</summary>
    public static ModelParts Of(string path)
    {
        using var model = ModelReader.Open(ModelParts.Beside(path), ReadLimits.Default);
        string folder = Path.GetDirectoryName(path)!;
        return new ModelParts(path, model.UsedParts.ToDictionary(name => name, name => Path.Combine(folder, name), StringComparer.Ordinal));
    }
}
