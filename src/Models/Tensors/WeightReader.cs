using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Condense.Engine.Matrices;
using Condense.Models.Graph;

namespace Condense.Models.Tensors;

/// <summary>Weights as matrices.</summary>
public static class WeightReader
{
    // A tile of the stored matrix: 512 KiB of floats. Its rows are 255 cache lines long, not 256, so that a column's entries fall into different sets
    // of the cache.
    private const int TileElements = 1 << 17;
    private const int TileWidth = 4080;

    // Rows of the result that are written side by side while a tile is turned: as many open cache lines as the first-level cache keeps of one set.
    private const int TurnedRows = 8;

    private const int ScanElements = 1 << 16;

    /// <summary>
    /// Reads a layer as f32, out×in: transposed where the file stores it the other way round, kernels folded, f16/bf16/f64/f8 converted (f64 and
    /// infinite results of it round as IEEE does). Memory: the matrix and a buffer of 1 MiB. O(elements).
    /// </summary>
    /// <param name="layer">The layer.</param>
    /// <exception cref="ArgumentException">The tensor is not of a floating-point type, or has not Rows·Columns elements.</exception>
    /// <exception cref="ArgumentOutOfRangeException">More elements than an array holds.</exception>
    /// <exception cref="IOException">The file can't be read.</exception>
    public static Matrix Read(Layer layer)
    {
        ArgumentNullException.ThrowIfNull(layer);
        var tensor = layer.Tensor;
        if (!tensor.DType.IsFloatingPoint())
        {
            throw new ArgumentException($"The weight '{layer.Name}' is of type {tensor.DType}; only floating-point weights can be read as a matrix.", nameof(layer));
        }

        if (tensor.Shape.ElementCount != (long)layer.Rows * layer.Columns)
        {
            throw new ArgumentException(
                $"The weight '{layer.Name}' of shape {tensor.Shape} has {tensor.Shape.ElementCount} elements; a {layer.Rows}×{layer.Columns} matrix has {(long)layer.Rows * layer.Columns}.",
                nameof(layer));
        }

        var matrix = new Matrix(layer.Rows, layer.Columns);
        var elements = new FloatElements(tensor);
        if (layer.Transposed)
        {
            ReadTransposed(elements, matrix);
        }
        else
        {
            elements.Read(0, matrix.Values);
        }

        return matrix;
    }

    /// <summary>The index of the first NaN or infinity in the order of the file, or −1. A buffer of 1 MiB; O(elements).</summary>
    /// <param name="tensor">Any tensor; integers have none. A complex number is not finite when one of its parts is not.</param>
    /// <exception cref="IOException">The file can't be read.</exception>
    public static long FindNonFinite(Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return tensor.DType switch
        {
            // Finite in f64 may be infinite in f32: these are looked at as they are.
            DType.F64 => FindNonFinite<double>(tensor.Data),
            DType.C128 => FindNonFinite<double>(tensor.Data) is >= 0 and long part ? part / 2 : -1,
            DType.F32 => FindNonFinite<float>(tensor.Data),
            DType.C64 => FindNonFinite<float>(tensor.Data) is >= 0 and long part ? part / 2 : -1,
            _ when tensor.DType.IsFloatingPoint() => FindNonFiniteDecoded(tensor),
            _ => -1,
        };
    }

    // The file holds Wᵀ, Columns×Rows. Tiles of it are read and turned, so that neither reading nor writing strides through memory.
    private static void ReadTransposed(FloatElements elements, Matrix matrix)
    {
        int rows = matrix.Rows;
        int columns = matrix.Columns;
        if (rows == 0 || columns == 0)
        {
            return;
        }

        int width = Math.Min(rows, TileWidth);
        int height = Math.Min(columns, TileElements / width);
        float[] tile = new float[width * height];
        for (int column = 0, tileColumns; column < columns; column += tileColumns)
        {
            tileColumns = Math.Min(height, columns - column);
            for (int row = 0, tileRows; row < rows; row += tileRows)
            {
                tileRows = Math.Min(width, rows - row);
                if (width == rows)
                {
                    elements.Read((long)column * rows, tile.AsSpan(0, tileColumns * rows));
                }
                else
                {
                    for (int i = 0; i < tileColumns; i++)
                    {
                        elements.Read(((long)(column + i) * rows) + row, tile.AsSpan(i * width, tileRows));
                    }
                }

                Turn(tile, width, tileRows, tileColumns, matrix.Values.AsSpan((row * columns) + column), columns);
            }
        }
    }

    // destination[r, c] = tile[c, r] for r < rows, c < columns.
    private static void Turn(ReadOnlySpan<float> tile, int width, int rows, int columns, Span<float> destination, int stride)
    {
        for (int first = 0; first < rows; first += TurnedRows)
        {
            int end = Math.Min(rows, first + TurnedRows);
            for (int column = 0; column < columns; column++)
            {
                for (int row = first; row < end; row++)
                {
                    destination[(row * stride) + column] = tile[(column * width) + row];
                }
            }
        }
    }

    private static long FindNonFinite<T>(TensorData data)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var buffer = new T[(int)Math.Min(ScanElements, data.ByteLength / Marshal.SizeOf<T>())];
        long total = buffer.Length == 0 ? 0 : data.ByteLength / Marshal.SizeOf<T>();
        for (long first = 0; first < total; first += buffer.Length)
        {
            var part = buffer.AsSpan(0, (int)Math.Min(buffer.Length, total - first));
            data.Read(first * Marshal.SizeOf<T>(), MemoryMarshal.AsBytes(part));
            if (IndexOfNonFinite<T>(part) is >= 0 and int index)
            {
                return first + index;
            }
        }

        return -1;
    }

    private static long FindNonFiniteDecoded(Tensor tensor)
    {
        var elements = new FloatElements(tensor);
        long total = tensor.Shape.ElementCount;
        float[] buffer = new float[(int)Math.Min(ScanElements, total)];
        for (long first = 0; first < total; first += buffer.Length)
        {
            var part = buffer.AsSpan(0, (int)Math.Min(buffer.Length, total - first));
            elements.Read(first, part);
            if (IndexOfNonFinite<float>(part) is >= 0 and int index)
            {
                return first + index;
            }
        }

        return -1;
    }

    private static int IndexOfNonFinite<T>(ReadOnlySpan<T> values)
        where T : IFloatingPointIeee754<T>
    {
        if (TensorPrimitives.IsFiniteAll(values))
        {
            return -1;
        }

        int index = 0;
        while (T.IsFinite(values[index]))
        {
            index++;
        }

        return index;
    }
}
