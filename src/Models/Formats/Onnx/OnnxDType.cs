using System.Collections.Frozen;
using Condense.Models.Tensors;

namespace Condense.Models.Formats.Onnx;

/// <summary>ONNX's numbers for the types of elements.</summary>
/// <remarks><see href="https://onnx.ai/onnx/api/classes.html#tensorproto"/>, TensorProto.DataType.</remarks>
internal static class OnnxDType
{
    private static readonly DType?[] s_byCode =
    [
        null, DType.F32, DType.U8, DType.I8, DType.U16, DType.I16, DType.I32, DType.I64, DType.String, DType.Bool, DType.F16, DType.F64,
        DType.U32, DType.U64, DType.C64, DType.C128, DType.BF16, DType.F8E4M3, DType.F8E4M3Fnuz, DType.F8E5M2, DType.F8E5M2Fnuz, DType.U4,
        DType.I4, DType.F4E2M1, DType.F8E8M0, DType.U2, DType.I2,
    ];

    private static readonly FrozenDictionary<DType, int> s_codes =
        Enumerable.Range(1, s_byCode.Length - 1).ToFrozenDictionary(code => s_byCode[code]!.Value);

    /// <summary>The type of that number; null when ONNX has none.</summary>
    internal static DType? FromCode(long code) => code > 0 && code < s_byCode.Length ? s_byCode[code] : null;

    /// <summary>The number of a type.</summary>
    /// <exception cref="ArgumentException">ONNX has no such type.</exception>
    internal static int ToCode(DType type) =>
        s_codes.TryGetValue(type, out int code)
            ? code
            : throw new ArgumentException($"ONNX has no tensors of {type}; convert them first.", nameof(type));
}
