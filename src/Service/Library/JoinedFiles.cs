using Condense.Models;
using Condense.Service.Problems;

namespace Condense.Service.Library;

/// <summary>Judges files that are meant to be one model.</summary>
internal static class JoinedFiles
{
    private const string GraphExtension = ".onnx";
    private const string IndexExtension = ".safetensors.index.json";

    /// <summary>Finds the main file and reads the structure of the whole; no weight is read.</summary>
    /// <param name="paths">The files by name.</param>
    /// <returns>The main file's name, and the model's format.</returns>
    /// <exception cref="ProblemException">No file is the main one, or files are missing or too many: <c>parts_mismatch</c>.</exception>
    /// <exception cref="ModelFormatException">They are no model.</exception>
    public static (string Main, ModelFormat Format) Judge(IReadOnlyDictionary<string, string> paths)
    {
        string main = FindMain(paths);
        var references = ModelReader.References(ModelParts.Single(paths[main]), ReadLimits.Default);
        var others = paths.Where(file => !string.Equals(file.Key, main, StringComparison.Ordinal)).ToDictionary(StringComparer.Ordinal);
        FieldError[] errors =
        [
            .. references.Where(name => !others.ContainsKey(name)).Select(name => new FieldError(Pointer(name), $"{main} refers to this file, and it is missing: add it.")),
            .. others.Keys.Except(references, StringComparer.Ordinal).Order(StringComparer.Ordinal)
                .Select(name => new FieldError(Pointer(name), $"{main} does not refer to this file: take it away.")),
        ];
        if (errors.Length > 0)
        {
            throw new ProblemException(ProblemKind.PartsMismatch, string.Join(' ', errors.Select(error => $"{error.Pointer}: {error.Detail}")), errors);
        }

        using var model = ModelReader.Open(new ModelParts(paths[main], others), ReadLimits.Default);
        return (main, model.Format);
    }

    /// <summary>The bytes decide. Weights may happen to look like something else: then, and only then, the name does.</summary>
    private static string FindMain(IReadOnlyDictionary<string, string> paths)
    {
        if (paths.Count == 1)
        {
            return paths.Keys.Single();
        }

        string[] byBytes = [.. paths.Where(file => LooksMain(file.Value)).Select(file => file.Key)];
        string[] byName = [.. (byBytes.Length > 0 ? byBytes : paths.Keys).Where(HasMainName)];
        return (byBytes, byName) switch
        {
            ([var only], _) => only,
            (_, [var only]) => only,
            ([], []) => throw new ProblemException(
                ProblemKind.PartsMismatch,
                $"None of the {paths.Count} files is the main one. Add the ONNX graph, or the index of the shards (for example model{IndexExtension})."),
            _ => throw new ProblemException(
                ProblemKind.PartsMismatch,
                $"Several files could be the main one: {string.Join(", ", (byName.Length > 0 ? byName : byBytes).Order(StringComparer.Ordinal))}. A model has one; take the others away."),
        };
    }

    private static bool LooksMain(string path)
    {
        var file = ModelParts.Single(path);
        try
        {
            return ModelReader.Identify(file, ReadLimits.Default).Format == ModelFormat.Onnx || ModelReader.References(file, ReadLimits.Default).Count > 0;
        }
        catch (ModelFormatException)
        {
            // Raw weights, or broken: told when the main file is read.
            return false;
        }
    }

    private static bool HasMainName(string name) =>
        name.EndsWith(GraphExtension, StringComparison.OrdinalIgnoreCase) || name.EndsWith(IndexExtension, StringComparison.OrdinalIgnoreCase);

    private static string Pointer(string name) => $"/parts/{name.Replace("~", "~0", StringComparison.Ordinal)}";
}
