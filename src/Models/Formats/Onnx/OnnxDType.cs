using System.Collections.Frozen;
using Condense.Models.Tensors;

namespace Condense.Models.Formats.Onnx;

/// <summary>ONNX's numbers for the types of elements.</summary>
/// <remarks><see href="https://onnx.ai/onnx/api/classes.html#tensorproto"/>, TensorProto.DataType.</remarks>
internal static class OnnxDType
{
    private static readonly DType?[] s_byCode =
    [
        null, DType.F32, DType.U8, DType.I8, DType.U16, DType.I16, DType.I32, DType.I64, DType.String, DType.Bool, DType.F16, DType.F64, DType.U32,
        DType.U64, DType.C64, DType.C128, DType.BF16, DType.F8E4M3, DType.F8E4M3Fnuz, DType.F8E5M2, DType.F8E5M2Fnuz, DType.U4, DType.I4, DType.F4E2M1,
        DType.F8E8M0, DType.U2, DType.I2,
    ];

    private static readonly FrozenDictionary<DType, int> s_codes =
        Enumerable.Range(1, s_byCode.Length - 1).ToFrozenDictionary(code => s_byCode[code]!.Value);

    /// <summary>The type of that number; null when ONNX has none.</summary>
    internal static DType? FromCode(long code) => code > 0 && code < s_byCode.Length ? s_byCode[code] : null;

    /// <summary>The number of a type.</summary>
    /// <exception cref="ArgumentException">ONNX has no such type.</exception>
    internal static int ToCode(DType type) =>
        s_codes.TryGetValue(type, out int code) ? code : throw new ArgumentException($"ONNX has no tensors of {type}; convert them first.", nameof(type));

    /// <summary>Bits of one element; 0 for text.</summary>
    internal static int Bits(DType type) => type switch
    {
        DType.I2 or DType.U2 => 2,
        DType.I4 or DType.U4 or DType.F4E2M1 => 4,
        DType.I8 or DType.U8 or DType.Bool or DType.F8E4M3 or DType.F8E4M3Fnuz or DType.F8E5M2 or DType.F8E5M2Fnuz or DType.F8E8M0 => 8,
        DType.I16 or DType.U16 or DType.F16 or DType.BF16 => 16,
        DType.I32 or DType.U32 or DType.F32 => 32,
        DType.I64 or DType.U64 or DType.F64 or DType.C64 => 64,
        DType.C128 => 128,
        _ => 0,
    };

    /// <summary>Bytes of a tensor: <c>⌈elements·bits/8⌉</c>.</summary>
    /// <exception cref="OverflowException">More than 2⁶³−1.</exception>
    internal static long ByteLength(DType type, TensorShape shape)
    {
        int bits = Bits(type);
        return bits >= 8 ? shape.ElementCount * (bits / 8) : (shape.ElementCount / (8 / bits)) + (shape.ElementCount % (8 / bits) == 0 ? 0 : 1);
    }
}
