using System.Collections.Immutable;
using System.Text.Json;
using Condense.Models.Formats.Zip;
using Condense.Models.Tensors;
using Microsoft.Win32.SafeHandles;

namespace Condense.Models.Formats.Numpy;

/// <summary>
/// Reads an NPZ file, a zip archive of NPY files: each is a tensor of its entry's name without <c>.npy</c>, as NumPy has it. What other formats carry as
/// metadata is in an array of bytes, the JSON object <see cref="MetadataName"/>, which is no tensor of the model.
/// </summary>
internal static class NpzReader
{
    /// <summary>The name of the array that holds metadata.</summary>
    public const string MetadataName = "__metadata__";

    /// <summary>The end of every entry's name.</summary>
    public const string Extension = ".npy";

    /// <summary>Reads what the headers say.</summary>
    /// <param name="parts">The model's files.</param>
    /// <param name="limits">What is accepted.</param>
    /// <exception cref="ModelFormatException">The archive or an array is broken, of a kind that is not read, or passes the limits.</exception>
    /// <exception cref="IOException">The file can't be read.</exception>
    public static ModelIdentity Identify(ModelParts parts, ReadLimits limits)
    {
        using var model = Read(parts, limits);
        return new ModelIdentity(ModelFormat.Npz, model.Tensors.Length, IrVersion: null, Producer: "");
    }

    /// <summary>Opens the model: the directory and every array's header. O(entries·log entries) time, O(entries) memory.</summary>
    /// <inheritdoc cref="Identify"/>
    public static Model Read(ModelParts parts, ReadLimits limits)
    {
        var file = File.OpenHandle(parts.MainPath);
        try
        {
            return Read(file, limits);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static Model Read(SafeFileHandle file, ReadLimits limits)
    {
        var archive = ZipDirectory.Read(file, limits);
        var budget = new StructureBudget(limits);
        var tensors = ImmutableArray.CreateBuilder<Tensor>(archive.Entries.Length);
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var entry in archive.Entries)
        {
            string name = entry.Name.EndsWith(Extension, StringComparison.Ordinal) && entry.Name.Length > Extension.Length
                ? entry.Name[..^Extension.Length]
                : throw new ModelFormatException(
                    ModelFormatError.UnsupportedFormat,
                    $"The NPZ archive has an entry '{ZipDirectory.Shorten(entry.Name)}', which is no array: their names end in {Extension}. Save the arrays alone with numpy.savez.",
                    entry.DataOffset);
            budget.Add(name.Length, entry.DataOffset);
            var tensor = Open(archive, entry, name);
            if (string.Equals(name, MetadataName, StringComparison.Ordinal))
            {
                ReadMetadata(tensor, entry, metadata, budget);
            }
            else
            {
                tensors.Add(tensor);
            }
        }

        return new Model(ModelFormat.Npz, tensors.DrainToImmutable(), program: null, metadata, [file]);
    }

    // A header may be inflated with the data of its own: what is kept open for it is let go before the next entry. A stored entry's checksum includes the
    // header, and goes on from there.
    private static Tensor Open(ZipDirectory archive, ZipEntry entry, string name)
    {
        var header = archive.Open(entry);
        try
        {
            return NpyArray.Open(name, header, entry.Method == ZipMethod.Stored ? header : archive.Open(entry));
        }
        catch (ModelFormatException exception) when (exception.Code != ModelFormatError.InvalidArchive)
        {
            // Of an entry, places count from the file's beginning where its bytes lie there as they are.
            throw new ModelFormatException(
                exception.Code, exception.Message, entry.DataOffset + (entry.Method == ZipMethod.Stored ? exception.Offset ?? 0 : 0), name, exception);
        }
    }

    private static void ReadMetadata(Tensor tensor, ZipEntry entry, Dictionary<string, string> metadata, StructureBudget budget)
    {
        if (tensor.DType != DType.U8 || tensor.Shape.Rank != 1 || tensor.Data.ByteLength > budget.Limits.HeaderBytes)
        {
            throw Broken(
                $"it must be one dimension of at most {budget.Limits.HeaderBytes} bytes (uint8), and is {tensor.DType} of shape {tensor.Shape}", entry);
        }

        byte[] text = new byte[tensor.Data.ByteLength];
        tensor.Data.Read(0, text);
        try
        {
            var json = new Utf8JsonReader(text);
            bool closed = json.Read() && json.TokenType == JsonTokenType.StartObject;
            while (closed && json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                long textBytes = json.ValueSpan.Length;
                string key = json.GetString()!;
                closed = json.Read() && json.TokenType == JsonTokenType.String;
                budget.Add(textBytes + json.ValueSpan.Length, entry.DataOffset);
                if (closed && !metadata.TryAdd(key, json.GetString()!))
                {
                    throw Broken($"the key '{ZipDirectory.Shorten(key)}' stands twice", entry);
                }
            }

            if (!closed || json.TokenType != JsonTokenType.EndObject || json.Read())
            {
                throw Broken("it must be one JSON object of strings", entry);
            }
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw Broken($"it is no JSON: {exception.Message}", entry, exception);
        }
    }

    private static ModelFormatException Broken(string why, ZipEntry entry, Exception? cause = null) => new(
        ModelFormatError.InvalidHeaderDeserialization,
        $"The NPZ archive's array '{MetadataName}' (byte {entry.DataOffset}) is no metadata: {why}. Give an array of your own another name.",
        entry.DataOffset,
        MetadataName,
        cause);
}
