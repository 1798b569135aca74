using System.CommandLine;
using Condense.Models;

namespace Condense.Cli;

/// <summary>A model file on the command line.</summary>
internal static class ModelArgument
{
    /// <summary>Builds it.</summary>
    public static Argument<string> Build(string name, string description) => new(name) { Description = description };

    /// <summary>The model's files: parts lie directly beside the main one.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public static ModelParts Open(string path) =>
        File.Exists(path) ? ModelParts.Beside(path)
        : throw new FileNotFoundException(Directory.Exists(path) ? $"{path} is a folder: name the model file in it." : $"There is no file {path}.", path);
}
