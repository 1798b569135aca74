using System.Collections.Immutable;
using Condense.Models.Tensors;

namespace Condense.Models.Rewriting.Onnx;

/// <summary>A structure as a graph holds it: the names of its constants, in the orientation in which the file stored the weight.</summary>
internal abstract record StoredWeight;

/// <summary>Floats.</summary>
/// <param name="Name">The constant.</param>
/// <param name="Type">Their type.</param>
/// <param name="Shape">Its dimensions.</param>
internal sealed record StoredDense(string Name, DType Type, TensorShape Shape) : StoredWeight;

/// <summary>Two factors, left times right.</summary>
/// <param name="Left">The first.</param>
/// <param name="Right">The second.</param>
internal sealed record StoredProduct(StoredWeight Left, StoredWeight Right) : StoredWeight;

/// <summary>Blocks of rows of W, each a matrix of the stored orientation, or factors, and no partition itself.</summary>
/// <param name="Blocks">The blocks, from the first row to the last, with how many rows of W each has.</param>
/// <param name="Shape">The dimensions of the matrix that they make when they are joined.</param>
/// <param name="Axis">The axis on which they are joined: 0, or 1 where the matrix is Wᵀ.</param>
/// <param name="Permutation">The constant of each row's place in the joined matrix; null when rows stand where they stand in W.</param>
internal sealed record StoredPartition(
    ImmutableArray<(StoredWeight Weight, int Rows)> Blocks, TensorShape Shape, int Axis, string? Permutation) : StoredWeight;

/// <summary>Integer codes with f32 scales.</summary>
/// <param name="Codes">The constant of codes.</param>
/// <param name="Shape">The dimensions of the codes: the constant's own, unless they are packed.</param>
/// <param name="Scale">The constant of scales.</param>
/// <param name="ZeroPoint">The constant of zero points, of the codes' type and the scales' shape, or packed as they are; null when they are all 0.</param>
/// <param name="Axis">The axis along which the scales differ; −1 when there is one scale.</param>
/// <param name="GroupSize">How many neighbours on the axis share a scale; 0 when each has its own.</param>
/// <param name="Spread">
/// Whether the scales of an axis have ones behind it in their shape, so that they spread over the codes by broadcasting, instead of being a vector.
/// </param>
/// <param name="Fusible">Whether <c>DequantizeLinear</c> may decode the codes where the opset has it.</param>
/// <param name="Width">How many of them share a byte.</param>
internal sealed record StoredQuantized(
    string Codes, TensorShape Shape, string Scale, string? ZeroPoint, int Axis, int GroupSize, bool Spread, bool Fusible, CodeWidth Width) : StoredWeight;
