namespace Condense.Models.Tensors;

/// <summary>A named tensor of a model file.</summary>
/// <param name="Name">Its name; unique in its scope.</param>
/// <param name="DType">The type of its elements.</param>
/// <param name="Shape">Its dimensions.</param>
/// <param name="Data">Its bytes: ⌈bits·elements/8⌉ of them, little-endian, row-major.</param>
public sealed record Tensor(string Name, DType DType, TensorShape Shape, TensorData Data);
