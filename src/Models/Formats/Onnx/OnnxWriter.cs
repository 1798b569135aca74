namespace Condense.Models.Formats.Onnx;

/// <summary>Writes ONNX files, with a second file for the weights where one would pass what protocol buffers hold.</summary>
internal static class OnnxWriter
{
    /// <summary>The most bytes that readers of protocol buffers accept.</summary>
    internal const long MaxFileBytes = int.MaxValue;

    // As long as file systems let a name be.
    private static readonly string s_longestLocation = new('x', 255);

    /// <summary>The exact number of bytes of all files together. Reads no weight; O(structure).</summary>
    /// <param name="model">The model.</param>
    internal static long Measure(Model model) => Measure(model, MaxFileBytes);

    /// <summary>Writes a model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="path">The main file, created or replaced. Its name stands in the name of the second, to which it refers.</param>
    /// <param name="cancellationToken">Stops between two buffers.</param>
    /// <returns>The paths written, the main file first.</returns>
    internal static Task<IReadOnlyList<string>> WriteAsync(Model model, string path, CancellationToken cancellationToken) =>
        WriteAsync(model, path, MaxFileBytes, cancellationToken);

    /// <summary>As above, with the limit of a file as a parameter.</summary>
    internal static long Measure(Model model, long maxFileBytes)
    {
        var (main, layout) = Encode(model, s_longestLocation, maxFileBytes);
        return main.Length + layout.Length;
    }

    /// <summary>As above, with the limit of a file as a parameter.</summary>
    internal static async Task<IReadOnlyList<string>> WriteAsync(Model model, string path, long maxFileBytes, CancellationToken cancellationToken)
    {
        string dataPath = path + ".data";
        var (main, layout) = Encode(model, Path.GetFileName(dataPath), maxFileBytes);
        await using (var stream = Create(path))
        {
            await main.WriteAsync(stream, cancellationToken);
        }

        if (layout.Length == 0)
        {
            return [path];
        }

        await using (var stream = Create(dataPath))
        {
            await layout.WriteAsync(stream, cancellationToken);

            // Every tensor in the second file names it: what a short name saves is added here, so that the total does not hang on the name.
            stream.SetLength(Measure(model, maxFileBytes) - main.Length);
        }

        return [path, dataPath];
    }

    private static (MessageBuilder Main, ExternalLayout Layout) Encode(Model model, string location, long maxFileBytes)
    {
        var program = model.Program ?? throw new ArgumentException("A model without a graph can't be written as ONNX.", nameof(model));
        var embedded = GraphEncoder.Encode(program, ExternalLayout.None);
        if (embedded.Length <= maxFileBytes)
        {
            return (embedded, ExternalLayout.None);
        }

        var layout = ExternalLayout.Of(program, location);
        var main = GraphEncoder.Encode(program, layout);
        return main.Length <= maxFileBytes
            ? (main, layout)
            : throw new ArgumentException($"The model's structure alone takes {main.Length} bytes; an ONNX file holds {maxFileBytes}.", nameof(model));
    }

    private static FileStream Create(string path) =>
        new(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 1 << 16, FileOptions.Asynchronous);
}
