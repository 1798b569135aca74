namespace Condense.Models.Formats.PyTorch.Pickle;

/// <summary>A NumPy array, or a dtype that one is made with. Its state comes after it in the pickle.</summary>
/// <param name="offset">Where it was made, in the file.</param>
internal sealed class PickledArray(long offset)
{
    /// <summary>Where it was made, in the file.</summary>
    public long Offset => offset;

    /// <summary>The state that BUILD gave it: version, shape, dtype, order and bytes; null before.</summary>
    public PickleSequence? State { get; set; }
}
