using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Condense.Engine.Kernels;

/// <summary>
/// <c>C = A·B</c> or <c>C += A·B</c>, blocked for the caches: panels of B are packed once per block of the depth, tiles of C are shared out among
/// threads, and each entry's sum runs through the depth in the same order whatever the threads.
/// </summary>
internal static unsafe class BlockedProduct
{
    private const int DepthBlock = 256;
    private const int RowBlock = 96;
    private const int ColumnBlock = 512;
    private const int PackedColumns = 4096;

    /// <summary>Multiply-adds below which a second thread costs more than it brings.</summary>
    private const long SerialWork = 1 << 18;

    /// <summary>The product, in the precision of <typeparamref name="T"/>; narrower entries are widened when they are packed.</summary>
    /// <param name="a">m×k.</param>
    /// <param name="b">k×n.</param>
    /// <param name="c">m×n, overwritten unless <paramref name="add"/>; its columns are contiguous.</param>
    /// <param name="threads">Degree of parallelism, ≥ 1.</param>
    /// <param name="add">Adds to C.</param>
    /// <param name="upperOnly">Only tiles that touch the diagonal or lie above it are computed; the rest of C is left as it is.</param>
    /// <param name="depthWeights">Multiplies term k of every sum; null: 1.</param>
    public static void Compute<TA, TB, T>(
        in Operand<TA> a,
        in Operand<TB> b,
        in Operand<T> c,
        int threads,
        bool add = false,
        bool upperOnly = false,
        double[]? depthWeights = null)
        where TA : unmanaged, INumber<TA>
        where TB : unmanaged, INumber<TB>
        where T : unmanaged, INumber<T>
    {
        if (a.Columns == 0 && !add)
        {
            for (int i = 0; i < c.Rows; i++)
            {
                c.Values.AsSpan(c.Offset + (i * c.RowStride), c.Columns).Clear();
            }
        }

        int tileColumns = ProductTile.Columns<T>();
        int packedLength = RoundUp(Math.Min(PackedColumns, c.Columns), tileColumns) * Math.Min(DepthBlock, a.Columns);
        var packedB = ArrayPool<T>.Shared.Rent(packedLength);
        try
        {
            for (int column = 0; column < c.Columns; column += PackedColumns)
            {
                for (int depth = 0; depth < a.Columns; depth += DepthBlock)
                {
                    var block = new Block<TA, TB, T>(
                        a,
                        b,
                        c,
                        packedB,
                        column,
                        Math.Min(PackedColumns, c.Columns - column),
                        depth,
                        Math.Min(DepthBlock, a.Columns - depth),
                        add || depth > 0,
                        upperOnly,
                        depthWeights);
                    Run(block, threads);
                }
            }
        }
        finally
        {
            ArrayPool<T>.Shared.Return(packedB);
        }
    }

    private static void Run<TA, TB, T>(Block<TA, TB, T> block, int threads)
        where TA : unmanaged, INumber<TA>
        where TB : unmanaged, INumber<TB>
        where T : unmanaged, INumber<T>
    {
        int rowBlocks = (block.C.Rows + RowBlock - 1) / RowBlock;
        int columnBlocks = (block.ColumnCount + ColumnBlock - 1) / ColumnBlock;
        if (threads == 1 || (long)block.C.Rows * block.ColumnCount * block.DepthCount < SerialWork)
        {
            for (int j = 0; j < columnBlocks; j++)
            {
                PackB(block, j);
            }

            for (int tile = 0; tile < rowBlocks * columnBlocks; tile++)
            {
                MultiplyBlock(block, tile / columnBlocks, tile % columnBlocks);
            }

            return;
        }

        var options = new ParallelOptions { MaxDegreeOfParallelism = threads };
        Parallel.For(0, columnBlocks, options, j => PackB(block, j));
        Parallel.For(0, rowBlocks * columnBlocks, options, tile => MultiplyBlock(block, tile / columnBlocks, tile % columnBlocks));
    }

    /// <summary>Packs one column block of B into panels of a tile's columns, depth-major, padded with zeros.</summary>
    private static void PackB<TA, TB, T>(Block<TA, TB, T> block, int columnBlock)
        where TA : unmanaged, INumber<TA>
        where TB : unmanaged, INumber<TB>
        where T : unmanaged, INumber<T>
    {
        int tileColumns = ProductTile.Columns<T>();
        int end = Math.Min(block.ColumnCount, (columnBlock + 1) * ColumnBlock);
        fixed (T* packed = block.PackedB)
        {
            for (int j = columnBlock * ColumnBlock; j < end; j += tileColumns)
            {
                PackPanel(block.B.Transposed, block.Column + j, Math.Min(tileColumns, end - j), tileColumns, block.Depth, block.DepthCount, null, packed + ((nint)j * block.DepthCount));
            }
        }
    }

    /// <summary>Packs <paramref name="count"/> rows of the operand, depth-major: entry (depth, i) at <c>depth·padded + i</c>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void PackPanel<TSource, T>(in Operand<TSource> source, int row, int count, int padded, int depth, int depthCount, double[]? weights, T* packed)
        where TSource : unmanaged, INumber<TSource>
        where T : unmanaged, INumber<T>
    {
        fixed (TSource* values = source.Values)
        {
            TSource* start = values + source.Offset + ((nint)row * source.RowStride) + ((nint)depth * source.ColumnStride);
            nint rowStride = source.RowStride, columnStride = source.ColumnStride;
            if (count < padded)
            {
                new Span<T>(packed, padded * depthCount).Clear();
            }

            if (rowStride == 1)
            {
                for (int k = 0; k < depthCount; k++)
                {
                    TSource* from = start + (k * columnStride);
                    T* to = packed + ((nint)k * padded);
                    for (int i = 0; i < count; i++)
                    {
                        to[i] = T.CreateTruncating(from[i]);
                    }
                }
            }
            else
            {
                for (int i = 0; i < count; i++)
                {
                    TSource* from = start + (i * rowStride);
                    T* to = packed + i;
                    for (int k = 0; k < depthCount; k++)
                    {
                        to[(nint)k * padded] = T.CreateTruncating(from[k * columnStride]);
                    }
                }
            }

            if (weights is not null)
            {
                for (int k = 0; k < depthCount; k++)
                {
                    var weight = T.CreateTruncating(weights[depth + k]);
                    for (int i = 0; i < count; i++)
                    {
                        packed[((nint)k * padded) + i] *= weight;
                    }
                }
            }
        }
    }

    private static void MultiplyBlock<TA, TB, T>(Block<TA, TB, T> block, int rowBlock, int columnBlock)
        where TA : unmanaged, INumber<TA>
        where TB : unmanaged, INumber<TB>
        where T : unmanaged, INumber<T>
    {
        int firstRow = rowBlock * RowBlock;
        int rows = Math.Min(RowBlock, block.C.Rows - firstRow);
        int firstColumn = columnBlock * ColumnBlock;
        int columns = Math.Min(ColumnBlock, block.ColumnCount - firstColumn);
        if (block.UpperOnly && block.Column + firstColumn + columns <= firstRow)
        {
            return;
        }

        int tileColumns = ProductTile.Columns<T>();
        var packedA = ArrayPool<T>.Shared.Rent(RoundUp(rows, ProductTile.Rows) * block.DepthCount);
        T* tile = stackalloc T[ProductTile.Rows * tileColumns];
        fixed (T* a = packedA, b = block.PackedB, c = block.C.Values)
        {
            for (int i = 0; i < rows; i += ProductTile.Rows)
            {
                PackPanel(block.A, firstRow + i, Math.Min(ProductTile.Rows, rows - i), ProductTile.Rows, block.Depth, block.DepthCount, block.DepthWeights, a + ((nint)i * block.DepthCount));
            }

            for (int j = firstColumn; j < firstColumn + columns; j += tileColumns)
            {
                int width = Math.Min(tileColumns, firstColumn + columns - j);
                for (int i = 0; i < rows; i += ProductTile.Rows)
                {
                    if (block.UpperOnly && block.Column + j + width <= firstRow + i)
                    {
                        break;
                    }

                    ProductTile.Multiply(block.DepthCount, a + ((nint)i * block.DepthCount), b + ((nint)j * block.DepthCount), tile);
                    int height = Math.Min(ProductTile.Rows, rows - i);
                    for (int y = 0; y < height; y++)
                    {
                        T* to = c + block.C.Offset + ((nint)(firstRow + i + y) * block.C.RowStride) + block.Column + j;
                        var from = new ReadOnlySpan<T>(tile + (y * tileColumns), width);
                        Emit(from, new Span<T>(to, width), block.Add);
                    }
                }
            }
        }

        ArrayPool<T>.Shared.Return(packedA);
    }

    private static void Emit<T>(ReadOnlySpan<T> from, Span<T> to, bool add)
        where T : unmanaged, INumber<T>
    {
        if (!add)
        {
            from.CopyTo(to);
            return;
        }

        int i = 0;
        for (; i <= from.Length - Vector<T>.Count; i += Vector<T>.Count)
        {
            (new Vector<T>(from[i..]) + new Vector<T>(to[i..])).CopyTo(to[i..]);
        }

        for (; i < from.Length; i++)
        {
            to[i] += from[i];
        }
    }

    private static int RoundUp(int value, int unit) => (value + unit - 1) / unit * unit;

    /// <summary>One block of the depth and of the columns of B, the unit between two barriers.</summary>
    private sealed record Block<TA, TB, T>(
        Operand<TA> A,
        Operand<TB> B,
        Operand<T> C,
        T[] PackedB,
        int Column,
        int ColumnCount,
        int Depth,
        int DepthCount,
        bool Add,
        bool UpperOnly,
        double[]? DepthWeights);
}
