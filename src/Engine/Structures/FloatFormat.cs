using System.Text.Json.Serialization;

namespace Condense.Engine.Structures;

/// <summary>How the entries of a dense matrix are stored.</summary>
public enum FloatFormat
{
    /// <summary>IEEE 754 binary32, 32 bits.</summary>
    F32,

    /// <summary>IEEE 754 binary16, 16 bits.</summary>
    F16,

    /// <summary>bfloat16, 16 bits.</summary>
    [JsonStringEnumMemberName("bf16")]
    BF16,
}
