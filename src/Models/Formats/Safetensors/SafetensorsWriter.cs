using System.Buffers;
using System.Buffers.Binary;
using System.Text.Encodings.Web;
using System.Text.Json;
using Condense.Models.Tensors;

namespace Condense.Models.Formats.Safetensors;

/// <summary>
/// Writes safetensors files: one file, tensors in the order of the model and without gaps, metadata ordered by key, the header padded with spaces to
/// a multiple of 8 bytes as the reference implementation does. Equal models give equal bytes.
/// </summary>
internal static class SafetensorsWriter
{
    private const int Alignment = 8;

    // What the reference implementation reads.
    private const int MaxHeaderBytes = 100_000_000;

    /// <summary>The exact length of the file. Reads no tensor. O(tensors).</summary>
    /// <param name="model">The model.</param>
    /// <exception cref="ArgumentException">The format can't hold the model.</exception>
    /// <exception cref="OverflowException">More than 2⁶³−1.</exception>
    public static long Measure(Model model) => FileLength(model, EncodeHeader(model));

    /// <summary>Writes the file. Memory: the header and a buffer of 1 MiB, and what the tensors' sources take. O(bytes).</summary>
    /// <param name="model">The model.</param>
    /// <param name="path">The file, created or replaced.</param>
    /// <param name="cancellationToken">Stops between two buffers.</param>
    /// <returns>The path.</returns>
    /// <exception cref="ArgumentException">The format can't hold the model; nothing is written.</exception>
    /// <exception cref="IOException">The disk failed or is full.</exception>
    public static async Task<IReadOnlyList<string>> WriteAsync(Model model, string path, CancellationToken cancellationToken)
    {
        byte[] header = EncodeHeader(model);
        var options = new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            Options = FileOptions.Asynchronous,

            // Tensors come in buffers of their own.
            BufferSize = 0,

            // A disk that has no room says so now, not after an hour.
            PreallocationSize = FileLength(model, header),
        };
        await using var file = new FileStream(path, options);
        await file.WriteAsync(header, cancellationToken);
        foreach (var tensor in model.Tensors)
        {
            await tensor.Data.CopyToAsync(file, cancellationToken);
        }

        return [path];
    }

    private static long FileLength(Model model, byte[] header) =>
        model.Tensors.Aggregate(header.LongLength, (length, tensor) => length + tensor.Data.ByteLength);

    // The length, the JSON and its padding.
    private static byte[] EncodeHeader(Model model)
    {
        var buffer = new ArrayBufferWriter<byte>();
        buffer.Write(stackalloc byte[SafetensorsHeader.LengthBytes]);
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            WriteHeader(json, model);
        }

        int length = buffer.WrittenCount - SafetensorsHeader.LengthBytes;
        int padding = -length & (Alignment - 1);
        buffer.Write("       "u8[..padding]);
        length += padding;
        if (length > MaxHeaderBytes)
        {
            throw new ArgumentException(
                $"The header of {model.Tensors.Length} tensors would have {length} bytes; safetensors allows {MaxHeaderBytes}.", nameof(model));
        }

        byte[] bytes = buffer.WrittenSpan.ToArray();
        BinaryPrimitives.WriteInt64LittleEndian(bytes, length);
        return bytes;
    }

    private static void WriteHeader(Utf8JsonWriter json, Model model)
    {
        var names = new HashSet<string>(StringComparer.Ordinal) { SafetensorsHeader.MetadataKey };
        json.WriteStartObject();
        if (model.Metadata.Count > 0)
        {
            json.WriteStartObject(SafetensorsHeader.MetadataKey);
            foreach (var (key, value) in model.Metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            {
                json.WriteString(key, value);
            }

            json.WriteEndObject();
        }

        long position = 0;
        foreach (var tensor in model.Tensors)
        {
            if (!names.Add(tensor.Name))
            {
                throw new ArgumentException($"The name '{tensor.Name}' is taken: each tensor needs its own.", nameof(model));
            }

            json.WriteStartObject(tensor.Name);
            json.WriteString("dtype"u8, CheckedDType(tensor));
            json.WriteStartArray("shape"u8);
            foreach (long dimension in tensor.Shape.Dimensions)
            {
                json.WriteNumberValue(dimension);
            }

            json.WriteEndArray();
            json.WriteStartArray("data_offsets"u8);
            json.WriteNumberValue(position);
            position += tensor.Data.ByteLength;
            json.WriteNumberValue(position);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    // What would make a file that no reader takes is refused here.
    private static string CheckedDType(Tensor tensor)
    {
        string name = SafetensorsDTypes.NameOf(tensor.DType)
            ?? throw new ArgumentException($"The tensor '{tensor.Name}' is of type {tensor.DType}, which safetensors does not have.", nameof(tensor));
        long expected = tensor.DType.ByteLength(tensor.Shape);
        if (tensor.Data.ByteLength != expected || (tensor.Shape.ElementCount % 8 * tensor.DType.BitsPerElement()) % 8 != 0)
        {
            throw new ArgumentException(
                $"The tensor '{tensor.Name}' of {tensor.DType} and shape {tensor.Shape} must fill {expected} whole bytes; its data has {tensor.Data.ByteLength}.",
                nameof(tensor));
        }

        return name;
    }
}
