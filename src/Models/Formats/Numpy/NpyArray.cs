using Condense.Models.Tensors;

namespace Condense.Models.Formats.Numpy;

/// <summary>An NPY file as a tensor: little-endian and row-major, whatever its own order.</summary>
internal static class NpyArray
{
    /// <summary>Reads the header and leaves the data where it is. O(1).</summary>
    /// <param name="name">The tensor's name.</param>
    /// <param name="file">The whole NPY file, to read the header from.</param>
    /// <param name="data">The same bytes, to read the data from later on.</param>
    /// <exception cref="ModelFormatException">The file is broken or of a kind that is not read.</exception>
    /// <exception cref="IOException">The file can't be read.</exception>
    public static Tensor Open(string name, TensorData file, TensorData data)
    {
        NpyHeader header;
        try
        {
            header = NpyHeader.Read(file);
        }
        catch (ModelFormatException exception) when (exception.Code != ModelFormatError.InvalidArchive)
        {
            throw new ModelFormatException(exception.Code, $"Array '{name}': {exception.Message}", exception.Offset, name, exception);
        }

        TensorData bytes = new SliceTensorData(data, header.Length, data.ByteLength - header.Length);
        bytes = header.BigEndian ? new SwappedTensorData(bytes, NpyDTypes.SwappedBytes(header.DType)) : bytes;
        return new Tensor(name, header.DType, header.Shape, header.FortranOrder ? RowMajor(name, header, bytes) : bytes);
    }

    private static TensorData RowMajor(string name, NpyHeader header, TensorData bytes)
    {
        // Dimensions of one change nothing; with a single other one, or none, both orders are the same.
        var shape = new TensorShape([.. header.Shape.Dimensions.Where(dimension => dimension != 1)]);
        if (shape.Rank < 2 || shape.ElementCount == 0)
        {
            return bytes;
        }

        long row = bytes.ByteLength / shape[0];
        return row <= FortranTensorData.MaxRowBytes
            ? new FortranTensorData(bytes, shape, header.DType.BitsPerElement() / 8)
            : throw new ModelFormatException(
                ModelFormatError.LimitExceeded,
                $"Array '{name}': in Fortran order, what follows one first index may have {FortranTensorData.MaxRowBytes} bytes; here it has {row}. Save it with numpy.ascontiguousarray.",
                tensor: name);
    }
}
