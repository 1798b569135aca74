using System.Collections.Frozen;
using Condense.Models.Tensors;

namespace Condense.Models.Formats.Numpy;

/// <summary>The spelling of dtypes in NPY headers: the order of bytes, a letter for the kind and the size (NumPy's array protocol, <c>typestr</c>).</summary>
internal static class NpyDTypes
{
    private static readonly FrozenDictionary<DType, string> s_codes = new Dictionary<DType, string>
    {
        [DType.Bool] = "b1",
        [DType.I8] = "i1",
        [DType.U8] = "u1",
        [DType.I16] = "i2",
        [DType.U16] = "u2",
        [DType.F16] = "f2",
        [DType.I32] = "i4",
        [DType.U32] = "u4",
        [DType.F32] = "f4",
        [DType.I64] = "i8",
        [DType.U64] = "u8",
        [DType.F64] = "f8",
        [DType.C64] = "c8",
        [DType.C128] = "c16",
    }.ToFrozenDictionary();

    private static readonly FrozenDictionary<string, DType> s_types = s_codes.ToFrozenDictionary(pair => pair.Value, pair => pair.Key, StringComparer.Ordinal);

    /// <summary>The dtype as NumPy writes it on little-endian machines; null when NumPy has none.</summary>
    /// <param name="dtype">Any type.</param>
    public static string? NameOf(DType dtype) =>
        s_codes.TryGetValue(dtype, out string? code) ? (SwappedBytes(dtype) == 1 ? '|' : '<') + code : null;

    /// <summary>Reads a dtype.</summary>
    /// <param name="text">The header's <c>descr</c>.</param>
    /// <param name="dtype">The type of the elements.</param>
    /// <param name="bigEndian">Whether their bytes are in the opposite order.</param>
    /// <returns>Whether it is one that is read.</returns>
    public static bool TryParse(string text, out DType dtype, out bool bigEndian)
    {
        bigEndian = text.StartsWith('>');
        dtype = default;
        if (text.Length < 2 || text[0] is not ('<' or '>' or '|') || !s_types.TryGetValue(text[1..], out dtype))
        {
            return false;
        }

        // One byte has no order; more must have one.
        bool single = SwappedBytes(dtype) == 1;
        bigEndian &= !single;
        return single || text[0] != '|';
    }

    /// <summary>Bytes that change their order together: of one number; of each part of a complex one.</summary>
    /// <param name="dtype">A type that NumPy has.</param>
    public static int SwappedBytes(DType dtype) => dtype switch
    {
        DType.C64 => sizeof(float),
        DType.C128 => sizeof(double),
        _ => dtype.BitsPerElement() / 8,
    };
}
