namespace Condense.Models;

/// <summary>The file formats of models.</summary>
public enum ModelFormat
{
    /// <summary>safetensors, in one file or in shards with an index.</summary>
    Safetensors,

    /// <summary>ONNX, with or without external data.</summary>
    Onnx,
}
