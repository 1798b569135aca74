using System.Text.Json.Serialization;

namespace Condense.Models;

/// <summary>The file formats of models.</summary>
public enum ModelFormat
{
    /// <summary>safetensors, in one file or in shards with an index.</summary>
    Safetensors,

    /// <summary>ONNX, with or without external data.</summary>
    Onnx,

    /// <summary>One NumPy array, <c>.npy</c>.</summary>
    Npy,

    /// <summary>NumPy arrays in a zip archive, <c>.npz</c>.</summary>
    Npz,

    /// <summary>A PyTorch checkpoint (<c>.pt</c>, <c>.pth</c>, <c>.bin</c>): a zip archive or the older stream of pickles. Read only, never written.</summary>
    [JsonStringEnumMemberName("pytorch")]
    PyTorch,
}
