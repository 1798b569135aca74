namespace Condense.Models;

/// <summary>Opens model files of every format; the format is found from the bytes, never from the name.</summary>
public static class ModelReader
{
    /// <summary>Reads what the header alone says.</summary>
    /// <param name="parts">The model's files.</param>
    /// <param name="limits">What is accepted.</param>
    /// <exception cref="ModelFormatException">The header is broken or of no format that is read.</exception>
    /// <exception cref="IOException">The file can't be opened.</exception>
    public static ModelIdentity Identify(ModelParts parts, ReadLimits limits) => throw new NotSupportedException();

    /// <summary>Reads the structure and leaves the weights where they are. O(structure) time and memory.</summary>
    /// <param name="parts">The model's files.</param>
    /// <param name="limits">What is accepted.</param>
    /// <exception cref="ModelFormatException">A file is broken, hostile or of no format that is read.</exception>
    /// <exception cref="IOException">A file can't be opened.</exception>
    public static Model Open(ModelParts parts, ReadLimits limits) => throw new NotSupportedException();
}
