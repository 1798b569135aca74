using Condense.Models.Formats;
using Condense.Models.Formats.Numpy;
using Condense.Models.Formats.Onnx;
using Condense.Models.Formats.PyTorch;
using Condense.Models.Formats.Safetensors;
using Condense.Models.Formats.Zip;

namespace Condense.Models;

/// <summary>Opens model files of every format; the format is found from the bytes, never from the name.</summary>
public static class ModelReader
{
    /// <summary>Reads what the header alone says.</summary>
    /// <param name="parts">The model's files.</param>
    /// <param name="limits">What is accepted.</param>
    /// <exception cref="ModelFormatException">The header is broken or of no format that is read.</exception>
    /// <exception cref="IOException">The file can't be opened.</exception>
    public static ModelIdentity Identify(ModelParts parts, ReadLimits limits)
    {
        ArgumentNullException.ThrowIfNull(parts);
        ArgumentNullException.ThrowIfNull(limits);
        return Detect(parts.MainPath, limits) switch
        {
            ModelFormat.Onnx => OnnxReader.Identify(parts, limits),
            ModelFormat.Npy => NpyReader.Identify(parts),
            ModelFormat.Npz => NpzReader.Identify(parts, limits),
            ModelFormat.PyTorch => PyTorchReader.Identify(parts, limits),
            _ => SafetensorsReader.Identify(parts, limits),
        };
    }

    /// <summary>Reads the structure and leaves the weights where they are. O(structure) time and memory.</summary>
    /// <param name="parts">The model's files.</param>
    /// <param name="limits">What is accepted.</param>
    /// <exception cref="ModelFormatException">A file is broken, hostile or of no format that is read.</exception>
    /// <exception cref="IOException">A file can't be opened.</exception>
    public static Model Open(ModelParts parts, ReadLimits limits)
    {
        ArgumentNullException.ThrowIfNull(parts);
        ArgumentNullException.ThrowIfNull(limits);
        return Detect(parts.MainPath, limits) switch
        {
            ModelFormat.Onnx => OnnxReader.Read(parts, limits),
            ModelFormat.Npy => NpyReader.Read(parts),
            ModelFormat.Npz => NpzReader.Read(parts, limits),
            ModelFormat.PyTorch => PyTorchReader.Read(parts, limits),
            _ => SafetensorsReader.Read(parts, limits),
        };
    }

    /// <summary>
    /// The names of the files beside the main one that a model is made of, in ordinal order, whether they were given or not. None is opened. O(structure) time and memory.
    /// </summary>
    /// <param name="parts">The model's files.</param>
    /// <param name="limits">What is accepted.</param>
    /// <exception cref="ModelFormatException">The main file is broken, hostile or of no format that is read.</exception>
    /// <exception cref="IOException">The main file can't be opened.</exception>
    public static IReadOnlyCollection<string> References(ModelParts parts, ReadLimits limits)
    {
        ArgumentNullException.ThrowIfNull(parts);
        ArgumentNullException.ThrowIfNull(limits);
        return Detect(parts.MainPath, limits) switch
        {
            ModelFormat.Onnx => OnnxReader.References(parts, limits),
            ModelFormat.Safetensors => SafetensorsReader.References(parts, limits),
            _ => [],
        };
    }

    private static ModelFormat Detect(string path, ReadLimits limits)
    {
        using var file = File.OpenHandle(path);
        Span<byte> start = stackalloc byte[FormatDetector.PrefixBytes];
        int count = 0;
        for (int read; (read = RandomAccess.Read(file, start[count..], count)) > 0;)
        {
            count += read;
        }

        return FormatDetector.IsArchive(start[..count])
            ? ArchiveDetector.Detect(ZipDirectory.Read(file, limits))
            : FormatDetector.Detect(start[..count], RandomAccess.GetLength(file));
    }
}
