namespace Condense.Models;

/// <summary>
/// The files that a model is made of: the main one and, by plain name, others that it refers to (external data, shards). A name is a key,
/// never a path: what is not among the parts does not exist.
/// </summary>
/// <param name="MainPath">The path of the main file.</param>
/// <param name="Others">Paths of the other files by the name under which the main file knows them.</param>
public sealed record ModelParts(string MainPath, IReadOnlyDictionary<string, string> Others)
{
    /// <summary>A model of one file.</summary>
    /// <param name="path">Its path.</param>
    public static ModelParts Single(string path) => new(path, new Dictionary<string, string>(StringComparer.Ordinal));

    /// <summary>A model of the command line: the main file, and every regular file that lies directly beside it (no link is followed).</summary>
    /// <param name="path">The main file's path.</param>
    public static ModelParts Beside(string path)
    {
        var folder = new FileInfo(Path.GetFullPath(path)).Directory!;
        var others = folder.EnumerateFiles()
            .Where(file => file.LinkTarget is null && !string.Equals(file.Name, Path.GetFileName(path), StringComparison.Ordinal))
            .ToDictionary(file => file.Name, file => file.FullName, StringComparer.Ordinal);
        return new(path, others);
    }
}
