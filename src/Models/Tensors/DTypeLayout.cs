namespace Condense.Models.Tensors;

/// <summary>How much room the elements of each type take.</summary>
public static class DTypeLayout
{
    /// <summary>Bits of one element: 2 … 128.</summary>
    /// <param name="dtype">Any type but <see cref="DType.String"/>.</param>
    /// <exception cref="ArgumentException">Text has no fixed size.</exception>
    public static int BitsPerElement(this DType dtype) => dtype switch
    {
        DType.I2 or DType.U2 => 2,
        DType.F4E2M1 or DType.I4 or DType.U4 => 4,
        DType.F6E2M3 or DType.F6E3M2 => 6,
        DType.F8E4M3 or DType.F8E4M3Fnuz or DType.F8E5M2 or DType.F8E5M2Fnuz or DType.F8E8M0 or DType.I8 or DType.U8 or DType.Bool => 8,
        DType.F16 or DType.BF16 or DType.I16 or DType.U16 => 16,
        DType.F32 or DType.I32 or DType.U32 => 32,
        DType.F64 or DType.I64 or DType.U64 or DType.C64 => 64,
        DType.C128 => 128,
        _ => throw new ArgumentException($"Elements of type {dtype} have no fixed size.", nameof(dtype)),
    };

    /// <summary>Bytes of a whole tensor: <c>⌈bits·elements/8⌉</c>.</summary>
    /// <param name="dtype">Any type but <see cref="DType.String"/>.</param>
    /// <param name="shape">The tensor's dimensions.</param>
    /// <exception cref="ArgumentException">Text has no fixed size.</exception>
    /// <exception cref="OverflowException">More than 2⁶³−1.</exception>
    public static long ByteLength(this DType dtype, TensorShape shape)
    {
        ArgumentNullException.ThrowIfNull(shape);
        Int128 bits = (Int128)shape.ElementCount * dtype.BitsPerElement();
        return checked((long)((bits + 7) >> 3));
    }

    /// <summary>Whether elements are real floating-point numbers of any width.</summary>
    /// <param name="dtype">Any type.</param>
    public static bool IsFloatingPoint(this DType dtype) => dtype is
        DType.F64 or DType.F32 or DType.F16 or DType.BF16 or
        DType.F8E4M3 or DType.F8E4M3Fnuz or DType.F8E5M2 or DType.F8E5M2Fnuz or DType.F8E8M0 or
        DType.F6E2M3 or DType.F6E3M2 or DType.F4E2M1;
}
