using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Condense.Models.Formats.Zip;
using Condense.Models.Tensors;

namespace Condense.Models.Formats.Numpy;

/// <summary>
/// Writes models as NPZ: stored entries in the order of the model, before them the metadata, ordered by key, if there is any. NumPy has no bf16, no 8-bit
/// floats and nothing below 8 bits: a model with such a tensor is refused by its name, for another dtype in the file would be another model.
/// </summary>
internal static class NpzWriter
{
    /// <summary>The exact length of the file. Reads no tensor. O(tensors).</summary>
    /// <param name="model">The model.</param>
    /// <exception cref="ArgumentException">The format can't hold the model.</exception>
    /// <exception cref="OverflowException">More than 2⁶³−1.</exception>
    public static long Measure(Model model) => ZipWriter.Measure(Entries(model));

    /// <summary>Writes the file. Memory: the headers and a buffer of 1 MiB, and what the tensors' sources take. O(bytes).</summary>
    /// <param name="model">The model.</param>
    /// <param name="path">The file, created or replaced.</param>
    /// <param name="cancellationToken">Stops between two buffers.</param>
    /// <returns>The path.</returns>
    /// <exception cref="ArgumentException">The format can't hold the model; nothing is written.</exception>
    /// <exception cref="IOException">The disk failed or is full.</exception>
    public static async Task<IReadOnlyList<string>> WriteAsync(Model model, string path, CancellationToken cancellationToken)
    {
        await ZipWriter.WriteAsync(Entries(model), path, cancellationToken);
        return [path];
    }

    private static List<ZipSource> Entries(Model model)
    {
        var names = new HashSet<string>(StringComparer.Ordinal) { NpzReader.MetadataName };
        var entries = new List<ZipSource>(model.Tensors.Length + 1);
        if (model.Metadata.Count > 0)
        {
            entries.Add(Entry(Metadata(model.Metadata)));
        }

        foreach (var tensor in model.Tensors)
        {
            if (!names.Add(tensor.Name))
            {
                throw new ArgumentException($"The name '{tensor.Name}' is taken: each tensor needs its own.", nameof(model));
            }

            entries.Add(Entry(tensor));
        }

        return entries;
    }

    private static ZipSource Entry(Tensor tensor)
    {
        byte[] header = NpyHeader.Write(tensor);
        string name = tensor.Name + NpzReader.Extension;
        return tensor.Name.Length > 0 && EntryNames.IsPlain(name)
            ? new ZipSource(name, header, tensor.Data)
            : throw new ArgumentException(
                $"The tensor '{tensor.Name}' can't be an entry of a zip archive: its name may not be empty or absolute, hold a backslash, NUL or half a surrogate pair, have a segment that is empty, '.' or '..', or pass 65,535 bytes.",
                nameof(tensor));
    }

    private static Tensor Metadata(IReadOnlyDictionary<string, string> metadata)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            foreach (var (key, value) in metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            {
                json.WriteString(key, value);
            }

            json.WriteEndObject();
        }

        return new Tensor(NpzReader.MetadataName, DType.U8, new TensorShape(buffer.WrittenCount), new MemoryTensorData(buffer.WrittenMemory));
    }
}
