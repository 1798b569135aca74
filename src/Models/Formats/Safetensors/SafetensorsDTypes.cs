using System.Collections.Frozen;
using Condense.Models.Tensors;

namespace Condense.Models.Formats.Safetensors;

/// <summary>The spelling of dtypes in safetensors headers, as the reference implementation has it.</summary>
internal static class SafetensorsDTypes
{
    private static readonly FrozenDictionary<DType, string> s_names = new Dictionary<DType, string>
    {
        [DType.Bool] = "BOOL",
        [DType.F4E2M1] = "F4",
        [DType.F6E2M3] = "F6_E2M3",
        [DType.F6E3M2] = "F6_E3M2",
        [DType.U8] = "U8",
        [DType.I8] = "I8",
        [DType.F8E5M2] = "F8_E5M2",
        [DType.F8E4M3] = "F8_E4M3",
        [DType.F8E8M0] = "F8_E8M0",
        [DType.F8E4M3Fnuz] = "F8_E4M3FNUZ",
        [DType.F8E5M2Fnuz] = "F8_E5M2FNUZ",
        [DType.I16] = "I16",
        [DType.U16] = "U16",
        [DType.F16] = "F16",
        [DType.BF16] = "BF16",
        [DType.I32] = "I32",
        [DType.U32] = "U32",
        [DType.F32] = "F32",
        [DType.C64] = "C64",
        [DType.F64] = "F64",
        [DType.I64] = "I64",
        [DType.U64] = "U64",
    }.ToFrozenDictionary();

    private static readonly FrozenDictionary<string, DType> s_types =
        s_names.ToFrozenDictionary(pair => pair.Value, pair => pair.Key, StringComparer.Ordinal);

    /// <summary>All spellings, for messages.</summary>
    public static IEnumerable<string> Names => s_types.Keys.Order(StringComparer.Ordinal);

    /// <summary>The dtype's name in a header; null when the format has none.</summary>
    /// <param name="dtype">Any type.</param>
    public static string? NameOf(DType dtype) => s_names.GetValueOrDefault(dtype);

    /// <summary>Reads a name.</summary>
    /// <param name="name">The spelling in the header.</param>
    /// <param name="dtype">The type, when the name is known.</param>
    public static bool TryParse(string name, out DType dtype) => s_types.TryGetValue(name, out dtype);
}
