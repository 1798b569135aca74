namespace Condense.Models.Formats.Numpy;

/// <summary>Writes a model of one tensor and no metadata as an NPY file, byte for byte as NumPy does.</summary>
internal static class NpyWriter
{
    /// <summary>The exact length of the file. Reads no tensor.</summary>
    /// <param name="model">The model.</param>
    /// <exception cref="ArgumentException">The model has not exactly one tensor, has metadata, or a dtype that NumPy lacks.</exception>
    public static long Measure(Model model) => Header(model).Length + model.Tensors[0].Data.ByteLength;

    /// <summary>Writes the file. Memory: a buffer of 1 MiB, and what the tensor's source takes.</summary>
    /// <param name="model">The model.</param>
    /// <param name="path">The file, created or replaced.</param>
    /// <param name="cancellationToken">Stops between two buffers.</param>
    /// <returns>The path.</returns>
    /// <exception cref="ArgumentException">As for <see cref="Measure"/>; nothing is written.</exception>
    /// <exception cref="IOException">The disk failed or is full.</exception>
    public static async Task<IReadOnlyList<string>> WriteAsync(Model model, string path, CancellationToken cancellationToken)
    {
        byte[] header = Header(model);
        var options = new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            Options = FileOptions.Asynchronous,
            BufferSize = 0,
            PreallocationSize = Measure(model),
        };
        await using var file = new FileStream(path, options);
        await file.WriteAsync(header, cancellationToken);
        await model.Tensors[0].Data.CopyToAsync(file, cancellationToken);
        return [path];
    }

    private static byte[] Header(Model model) => model.Tensors.Length == 1 && model.Metadata.Count == 0
        ? NpyHeader.Write(model.Tensors[0])
        : throw new ArgumentException(
            $"An NPY file is one array without metadata; the model has {model.Tensors.Length} tensors and {model.Metadata.Count} entries of metadata. Write NPZ.",
            nameof(model));
}
