using Condense.Models.Formats.PyTorch.Pickle;
using Condense.Models.Tensors;

namespace Condense.Models.Formats.PyTorch;

/// <summary>NumPy arrays in pickles, as tensors. Their bytes are in the pickle itself.</summary>
internal static class ArrayTensor
{
    private const int MaxRank = 64;

    /// <summary>Opens an array.</summary>
    /// <param name="array">The array, with its state: version, shape, dtype, whether it is in Fortran's order, bytes.</param>
    /// <param name="name">Its name.</param>
    /// <param name="budget">What is left to take.</param>
    /// <exception cref="ModelFormatException">The state is broken, or the array holds no plain numbers in little-endian order.</exception>
    public static Tensor Read(PickledArray array, string name, PickleBudget budget)
    {
        if (array.State is not { Items: [_, PickleSequence { Items: var sizes }, PickledArrayType type, bool isFortran, var content] }
            || sizes.Count > MaxRank
            || !sizes.TrueForAll(size => size is long and >= 0))
        {
            throw new ModelFormatException(ModelFormatError.InvalidPickle, $"The NumPy array '{PickleRefusals.Shorten(name)}' has a broken state.", array.Offset, name);
        }

        if (ToDType(type) is not { } dtype || content is not TensorData data)
        {
            throw new ModelFormatException(
                ModelFormatError.UnknownDType,
                $"The NumPy array '{PickleRefusals.Shorten(name)}' is of type '{PickleRefusals.Shorten(type.ByteOrder + type.Code)}'; arrays of little-endian numbers are read.",
                array.Offset,
                name);
        }

        budget.Keep(2 * sizeof(long) * sizes.Count, array.Offset);
        long[] dimensions = [.. sizes.Select(size => (long)size!)];
        int elementBytes = dtype.BitsPerElement() / 8;
        if (!TryMultiply(dimensions, elementBytes, out long byteLength) || byteLength != data.ByteLength)
        {
            throw new ModelFormatException(
                ModelFormatError.TensorInvalidInfo,
                $"The NumPy array '{PickleRefusals.Shorten(name)}' of shape {string.Join('×', dimensions)} and {elementBytes} bytes for an element has {data.ByteLength} bytes.",
                array.Offset,
                name);
        }

        if (isFortran && byteLength > 0)
        {
            data = new StridedTensorData(data, elementBytes, 0, dimensions, FortranStrides(dimensions));
        }

        return new Tensor(name, dtype, new TensorShape(dimensions), data);
    }

    private static long[] FortranStrides(long[] dimensions)
    {
        long[] strides = new long[dimensions.Length];
        long stride = 1;
        for (int axis = 0; axis < strides.Length; axis++)
        {
            strides[axis] = stride;
            stride *= dimensions[axis];
        }

        return strides;
    }

    private static bool TryMultiply(long[] dimensions, int elementBytes, out long byteLength)
    {
        Int128 product = dimensions.Contains(0) ? 0 : elementBytes;
        foreach (long dimension in dimensions)
        {
            product *= dimension;
            if (product > long.MaxValue)
            {
                byteLength = 0;
                return false;
            }
        }

        byteLength = (long)product;
        return true;
    }

    private static DType? ToDType(PickledArrayType type) => (type.ByteOrder, type.Code) switch
    {
        ("<" or "=" or "|", "f2") => DType.F16,
        ("<" or "=" or "|", "f4") => DType.F32,
        ("<" or "=" or "|", "f8") => DType.F64,
        ("<" or "=" or "|", "i2") => DType.I16,
        ("<" or "=" or "|", "i4") => DType.I32,
        ("<" or "=" or "|", "i8") => DType.I64,
        ("<" or "=" or "|", "u2") => DType.U16,
        ("<" or "=" or "|", "u4") => DType.U32,
        ("<" or "=" or "|", "u8") => DType.U64,
        ("<" or "=" or "|", "c8") => DType.C64,
        ("<" or "=" or "|", "c16") => DType.C128,
        ("<" or "=" or "|", "i1") => DType.I8,
        ("<" or "=" or "|", "u1") => DType.U8,
        ("<" or "=" or "|", "b1") => DType.Bool,
        _ => null,
    };
}
