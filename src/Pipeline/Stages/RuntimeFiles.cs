using Condense.Models;

namespace Condense.Pipeline.Stages;

/// <summary>A model's files where a runtime looks for them: beside the main one, by the names that it uses. Copied only when they lie otherwise.</summary>
internal sealed class RuntimeFiles : IDisposable
{
    private readonly string? _folder;

    private RuntimeFiles(string mainPath, string? folder) => (MainPath, _folder) = (mainPath, folder);

    /// <summary>The main file.</summary>
    public string MainPath { get; }

    /// <summary>Finds or makes that place.</summary>
    /// <param name="model">The model.</param>
    /// <param name="parts">Its files.</param>
    /// <param name="workDirectory">Where copies may lie until this is disposed.</param>
    /// <exception cref="IOException">The disk failed or is full.</exception>
    public static RuntimeFiles Of(Model model, ModelParts parts, string workDirectory)
    {
        string beside = Path.GetDirectoryName(Path.GetFullPath(parts.MainPath))!;
        if (model.UsedParts.All(name => string.Equals(Path.GetFullPath(parts.Others[name]), Path.Combine(beside, name), StringComparison.Ordinal)))
        {
            return new RuntimeFiles(parts.MainPath, folder: null);
        }

        // Runtimes refuse links that lead out of the folder, and rightly so. The main file's own name must not be one of the others.
        string folder = Directory.CreateDirectory(Path.Combine(workDirectory, "runtime")).FullName;
        string main = Path.Combine(folder, "main");
        while (model.UsedParts.Contains(Path.GetFileName(main), StringComparer.Ordinal))
        {
            main += "_";
        }

        File.Copy(parts.MainPath, main, overwrite: true);
        foreach (string name in model.UsedParts)
        {
            File.Copy(parts.Others[name], Path.Combine(folder, name), overwrite: true);
        }

        return new RuntimeFiles(main, folder);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_folder is not null)
        {
            Directory.Delete(_folder, recursive: true);
        }
    }
}
