using Condense.Models.Tensors;

namespace Condense.Models.Formats.Numpy;

/// <summary>Reads an NPY file as a model of one tensor. The file does not name its array, and the file's own name is not to be trusted: the tensor is <c>array</c>.</summary>
internal static class NpyReader
{
    /// <summary>The name of the one tensor.</summary>
    public const string TensorName = "array";

    /// <summary>Reads what the header says.</summary>
    /// <param name="parts">The model's files.</param>
    /// <exception cref="ModelFormatException">The file is broken or of a kind that is not read.</exception>
    /// <exception cref="IOException">The file can't be read.</exception>
    public static ModelIdentity Identify(ModelParts parts)
    {
        using var model = Read(parts);
        return new ModelIdentity(ModelFormat.Npy, model.Tensors.Length, IrVersion: null, Producer: "");
    }

    /// <summary>Opens the model. O(header).</summary>
    /// <inheritdoc cref="Identify"/>
    public static Model Read(ModelParts parts)
    {
        var file = File.OpenHandle(parts.MainPath);
        try
        {
            var data = new FileTensorData(file, 0, RandomAccess.GetLength(file));
            return new Model(
                ModelFormat.Npy, [NpyArray.Open(TensorName, data, data)], program: null, new Dictionary<string, string>(StringComparer.Ordinal), [file]);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }
}
