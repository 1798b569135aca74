using Condense.Models.Tensors;

namespace Condense.Execution.OnnxRuntime;

/// <summary>ONNX Runtime's numbers of element types (<c>ONNXTensorElementDataType</c>).</summary>
internal static class RuntimeTypes
{
    /// <summary>The type of a number; null for those that are not exchanged.</summary>
    /// <param name="number">The runtime's number.</param>
    public static DType? FromNumber(int number) => number switch
    {
        1 => DType.F32,
        2 => DType.U8,
        3 => DType.I8,
        4 => DType.U16,
        5 => DType.I16,
        6 => DType.I32,
        7 => DType.I64,
        9 => DType.Bool,
        10 => DType.F16,
        11 => DType.F64,
        12 => DType.U32,
        13 => DType.U64,
        16 => DType.BF16,
        _ => null,
    };

    /// <summary>The number of a type.</summary>
    /// <param name="type">The type.</param>
    /// <exception cref="ArgumentException">The runtime does not exchange such tensors.</exception>
    public static int ToNumber(DType type) => type switch
    {
        DType.F32 => 1,
        DType.U8 => 2,
        DType.I8 => 3,
        DType.U16 => 4,
        DType.I16 => 5,
        DType.I32 => 6,
        DType.I64 => 7,
        DType.Bool => 9,
        DType.F16 => 10,
        DType.F64 => 11,
        DType.U32 => 12,
        DType.U64 => 13,
        DType.BF16 => 16,
        _ => throw new ArgumentException($"Tensors of type {type} can't be passed to ONNX Runtime.", nameof(type)),
    };

    /// <summary>Bytes of one element of a type that is exchanged.</summary>
    /// <param name="type">The type.</param>
    public static int ByteSize(DType type) => type switch
    {
        DType.U8 or DType.I8 or DType.Bool => 1,
        DType.U16 or DType.I16 or DType.F16 or DType.BF16 => 2,
        DType.I64 or DType.U64 or DType.F64 => 8,
        _ => 4,
    };
}
