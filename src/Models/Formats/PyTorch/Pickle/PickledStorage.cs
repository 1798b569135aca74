using Condense.Models.Tensors;

namespace Condense.Models.Formats.PyTorch.Pickle;

/// <summary>A row of elements outside the pickle, that tensors are views of.</summary>
/// <param name="key">The name under which the container keeps it.</param>
/// <param name="type">What its first mention says that it holds.</param>
/// <param name="byteLength">How many bytes its first mention says that it has.</param>
/// <param name="offset">Where its first mention stands in the file.</param>
internal sealed class PickledStorage(string key, TorchType type, long byteLength, long offset)
{
    /// <summary>The name under which the container keeps it.</summary>
    public string Key => key;

    /// <summary>What its first mention says that it holds.</summary>
    public TorchType Type => type;

    /// <summary>How many bytes its first mention says that it has.</summary>
    public long ByteLength => byteLength;

    /// <summary>Where its first mention stands in the file.</summary>
    public long Offset => offset;

    /// <summary>Its bytes, little-endian; null until the container has found them.</summary>
    public TensorData? Data { get; set; }
}
