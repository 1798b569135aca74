using System.Buffers.Binary;
using Condense.Models.Tensors;

namespace Condense.Execution.OnnxRuntime;

/// <summary>A tensor that goes into a session or comes out of it.</summary>
/// <param name="DType">The type of its elements.</param>
/// <param name="Shape">Its dimensions.</param>
/// <param name="Data">Its bytes, little-endian and row-major.</param>
public sealed record RuntimeTensor(DType DType, TensorShape Shape, byte[] Data)
{
    /// <summary>Whether its elements are numbers of f16, bf16, f32 or f64.</summary>
    public bool IsFloat => DType is DType.F16 or DType.BF16 or DType.F32 or DType.F64;

    /// <summary>One element of a tensor of floats, exactly.</summary>
    /// <param name="index">0 … ElementCount−1, row-major.</param>
    /// <exception cref="InvalidOperationException">The elements are no floats.</exception>
    public double Float(int index) => DType switch
    {
        DType.F16 => (double)BinaryPrimitives.ReadHalfLittleEndian(Data.AsSpan(index * 2)),
        DType.BF16 => BitConverter.Int32BitsToSingle(BinaryPrimitives.ReadInt16LittleEndian(Data.AsSpan(index * 2)) << 16),
        DType.F32 => BinaryPrimitives.ReadSingleLittleEndian(Data.AsSpan(index * 4)),
        DType.F64 => BinaryPrimitives.ReadDoubleLittleEndian(Data.AsSpan(index * 8)),
        _ => throw new InvalidOperationException($"The elements are of type {DType}."),
    };
}
