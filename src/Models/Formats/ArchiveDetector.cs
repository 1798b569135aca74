using Condense.Models.Formats.Numpy;
using Condense.Models.Formats.Zip;

namespace Condense.Models.Formats;

/// <summary>Tells which kind of model a zip archive is from the names of its entries.</summary>
internal static class ArchiveDetector
{
    // The pickle that every PyTorch checkpoint has, in a folder named after the file.
    private const string PyTorchPickle = "data.pkl";

    // What else people bring: the end of an entry's name, and what it means.
    private static readonly (string NameEnd, string Meaning)[] s_foreign =
    [
        ("model.weights.h5", "a Keras model; export it to ONNX"),
        (".onnx", "an archive that holds an ONNX model; unpack it first"),
        (".safetensors", "an archive that holds a safetensors file; unpack it first"),
        (".gguf", "an archive that holds a GGUF file; convert the model from its original weights"),
        (".pkl", "an archive that holds a pickle; save the weights as safetensors"),
        ("[Content_Types].xml", "an Office document"),
        ("META-INF/MANIFEST.MF", "a Java archive"),
    ];

    /// <summary>Tells the format. O(entries).</summary>
    /// <param name="archive">The archive.</param>
    /// <exception cref="ModelFormatException">The archive is of no format that is read; the message says what it looks like.</exception>
    public static ModelFormat Detect(ZipDirectory archive)
    {
        var entries = archive.Entries;
        if (!entries.IsEmpty && entries.All(entry => entry.Name.EndsWith(NpzReader.Extension, StringComparison.Ordinal)))
        {
            return ModelFormat.Npz;
        }

        if (entries.Any(entry => string.Equals(entry.Name, PyTorchPickle, StringComparison.Ordinal) || entry.Name.EndsWith("/" + PyTorchPickle, StringComparison.Ordinal)))
        {
            return ModelFormat.PyTorch;
        }

        string? meaning = s_foreign.FirstOrDefault(kind => entries.Any(entry => entry.Name.EndsWith(kind.NameEnd, StringComparison.Ordinal))).Meaning;
        meaning ??= entries.Any(entry => entry.Name.EndsWith(NpzReader.Extension, StringComparison.Ordinal))
            ? "an NPZ archive with other files among its arrays; save the arrays alone with numpy.savez"
            : $"a zip archive of {entries.Length} entries, '{(entries.IsEmpty ? "" : ZipDirectory.Shorten(entries[0].Name))}' first, that is no model";
        throw new ModelFormatException(ModelFormatError.UnsupportedFormat, $"The file looks like {meaning}. {FormatDetector.WhatIsRead}", offset: 0);
    }
}
