using System.Text.Json.Serialization;

namespace Condense.Models.Tensors;

/// <summary>The type of a tensor's elements, over all formats.</summary>
public enum DType
{
    /// <summary>IEEE binary64.</summary>
    F64,

    /// <summary>IEEE binary32.</summary>
    F32,

    /// <summary>IEEE binary16.</summary>
    F16,

    /// <summary>bfloat16.</summary>
    [JsonStringEnumMemberName("bf16")]
    BF16,

    /// <summary>8-bit float, 4 exponent bits, finite and NaN (OCP FP8 E4M3, "fn").</summary>
    F8E4M3,

    /// <summary>8-bit float, 4 exponent bits, no negative zero ("fnuz").</summary>
    F8E4M3Fnuz,

    /// <summary>8-bit float, 5 exponent bits (OCP FP8 E5M2).</summary>
    F8E5M2,

    /// <summary>8-bit float, 5 exponent bits, no negative zero ("fnuz").</summary>
    F8E5M2Fnuz,

    /// <summary>8-bit exponent alone (OCP MX scale).</summary>
    F8E8M0,

    /// <summary>6-bit float, 2 exponent bits (OCP MX).</summary>
    F6E2M3,

    /// <summary>6-bit float, 3 exponent bits (OCP MX).</summary>
    F6E3M2,

    /// <summary>4-bit float, 2 exponent bits (OCP MX).</summary>
    F4E2M1,

    /// <summary>Signed 64-bit integer.</summary>
    I64,

    /// <summary>Signed 32-bit integer.</summary>
    I32,

    /// <summary>Signed 16-bit integer.</summary>
    I16,

    /// <summary>Signed 8-bit integer.</summary>
    I8,

    /// <summary>Signed 4-bit integer, two in a byte, low nibble first.</summary>
    I4,

    /// <summary>Signed 2-bit integer, four in a byte, lowest bits first.</summary>
    I2,

    /// <summary>Unsigned 64-bit integer.</summary>
    U64,

    /// <summary>Unsigned 32-bit integer.</summary>
    U32,

    /// <summary>Unsigned 16-bit integer.</summary>
    U16,

    /// <summary>Unsigned 8-bit integer.</summary>
    U8,

    /// <summary>Unsigned 4-bit integer, two in a byte, low nibble first.</summary>
    U4,

    /// <summary>Unsigned 2-bit integer, four in a byte, lowest bits first.</summary>
    U2,

    /// <summary>Boolean, one byte.</summary>
    Bool,

    /// <summary>Complex of two binary32.</summary>
    C64,

    /// <summary>Complex of two binary64.</summary>
    C128,

    /// <summary>Text; no fixed size. Its data is opaque.</summary>
    String,
}
