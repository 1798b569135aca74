namespace Condense.Models.Formats.Onnx;

/// <summary>Bytes of a file.</summary>
/// <param name="Start">The first byte.</param>
/// <param name="Length">How many.</param>
internal readonly record struct FileRange(long Start, long Length)
{
    /// <summary>The byte after the last.</summary>
    internal long End => Start + Length;
}
