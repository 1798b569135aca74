namespace Condense.Models;

/// <summary>What a model's header alone says.</summary>
/// <param name="Format">The format.</param>
/// <param name="TensorCount">Tensors in the file; null when the header does not say (ONNX has no header apart from its structure).</param>
/// <param name="IrVersion">ONNX's IR version; null for other formats.</param>
/// <param name="Producer">The tool that made the file; empty when it does not say.</param>
public sealed record ModelIdentity(ModelFormat Format, int? TensorCount, long? IrVersion, string Producer);
