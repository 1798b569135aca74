using System.Collections.Frozen;
using Condense.Models.Tensors;

namespace Condense.Models.Formats.PyTorch.Pickle;

/// <summary>A type of elements as PyTorch knows it.</summary>
/// <param name="Name">Its name below <c>torch</c>.</param>
/// <param name="Bytes">Bytes of an element in a storage.</param>
/// <param name="DType">The same type here; null when there is none.</param>
internal sealed record TorchType(string Name, int Bytes, DType? DType)
{
    /// <summary>A storage that doesn't say what it holds.</summary>
    public static TorchType Untyped { get; } = new("untyped", 1, Tensors.DType.U8);

    private static readonly TorchType[] s_all =
    [
        new("float32", 4, Tensors.DType.F32),
        new("float64", 8, Tensors.DType.F64),
        new("float16", 2, Tensors.DType.F16),
        new("bfloat16", 2, Tensors.DType.BF16),
        new("float8_e4m3fn", 1, Tensors.DType.F8E4M3),
        new("float8_e4m3fnuz", 1, Tensors.DType.F8E4M3Fnuz),
        new("float8_e5m2", 1, Tensors.DType.F8E5M2),
        new("float8_e5m2fnuz", 1, Tensors.DType.F8E5M2Fnuz),
        new("float8_e8m0fnu", 1, Tensors.DType.F8E8M0),
        new("float4_e2m1fn_x2", 1, null),
        new("int8", 1, Tensors.DType.I8),
        new("int16", 2, Tensors.DType.I16),
        new("int32", 4, Tensors.DType.I32),
        new("int64", 8, Tensors.DType.I64),
        new("uint8", 1, Tensors.DType.U8),
        new("uint16", 2, Tensors.DType.U16),
        new("uint32", 4, Tensors.DType.U32),
        new("uint64", 8, Tensors.DType.U64),
        new("bool", 1, Tensors.DType.Bool),
        new("complex32", 4, null),
        new("complex64", 8, Tensors.DType.C64),
        new("complex128", 16, Tensors.DType.C128),
        new("qint8", 1, null),
        new("quint8", 1, null),
        new("qint32", 4, null),
        new("quint4x2", 1, null),
        new("quint2x4", 1, null),
    ];

    private static readonly FrozenDictionary<string, TorchType> s_byName = s_all.ToFrozenDictionary(type => type.Name, StringComparer.Ordinal);

    // torch.storage._dtype_to_storage_type_map, and the names that each type had before.
    private static readonly FrozenDictionary<string, TorchType> s_byStorage = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["FloatStorage"] = "float32",
        ["DoubleStorage"] = "float64",
        ["HalfStorage"] = "float16",
        ["BFloat16Storage"] = "bfloat16",
        ["CharStorage"] = "int8",
        ["ShortStorage"] = "int16",
        ["IntStorage"] = "int32",
        ["LongStorage"] = "int64",
        ["ByteStorage"] = "uint8",
        ["BoolStorage"] = "bool",
        ["ComplexFloatStorage"] = "complex64",
        ["ComplexDoubleStorage"] = "complex128",
        ["QInt8Storage"] = "qint8",
        ["QUInt8Storage"] = "quint8",
        ["QInt32Storage"] = "qint32",
        ["QUInt4x2Storage"] = "quint4x2",
        ["QUInt2x4Storage"] = "quint2x4",
    }.ToFrozenDictionary(pair => pair.Key, pair => s_byName[pair.Value], StringComparer.Ordinal);

    /// <summary>The types by their names, such as <c>float32</c>.</summary>
    public static IReadOnlyDictionary<string, TorchType> ByName => s_byName;

    /// <summary>The types by the classes of their storages, such as <c>FloatStorage</c>.</summary>
    public static IReadOnlyDictionary<string, TorchType> ByStorage => s_byStorage;
}
