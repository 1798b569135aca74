using System.Runtime.InteropServices;
using Condense.Models.Tensors;

namespace Condense.Models.Formats.Numpy;

/// <summary>
/// An array in Fortran order (the first index runs fastest) as the same array in row-major order. With d the first dimension and R the product of the
/// others, the file is a matrix of R×d, and what is asked for is its transpose, its columns put from Fortran order into row-major order:
/// <c>result[i, c(r)] = file[r, i]</c>. It is put together in blocks of rows i, of which the last is kept while memory is not wanted for anything else.
/// Memory: a block. Reading all of it in order: O(bytes), each block in one pass forward over the file.
/// </summary>
internal sealed class FortranTensorData : TensorData
{
    /// <summary>Bytes that are put together at once unless told otherwise.</summary>
    public const int BlockBytes = 256 << 20;

    /// <summary>The most bytes of a row, d·R/d elements, that are read: a block has at least one row.</summary>
    public const long MaxRowBytes = 1L << 30;

    // Rows of the file are read in strips, of which the third-level cache holds several.
    private const int StripBytes = 2 << 20;

    // Rows that are turned together: sixteen elements of four bytes fill a cache line of the result before it is left.
    private const int TileRows = 16;

    private readonly TensorData _source;
    private readonly int _elementSize;
    private readonly long _first;
    private readonly int _row;
    private readonly long[] _others;
    private readonly int _rowsPerBlock;
    private readonly Lock _lock = new();
    private readonly WeakReference<byte[]> _block = new([]);
    private long _blockStart = -1;

    /// <summary>Names an array of at least two dimensions greater than one.</summary>
    /// <param name="source">Its bytes, in Fortran order.</param>
    /// <param name="shape">Its dimensions; those of one may be left out.</param>
    /// <param name="elementSize">Bytes of an element: 1, 2, 4, 8 or 16.</param>
    /// <param name="blockBytes">Bytes that are put together at once.</param>
    public FortranTensorData(TensorData source, TensorShape shape, int elementSize, int blockBytes = BlockBytes)
    {
        _source = source;
        _elementSize = elementSize;
        _first = shape[0];
        _others = [.. shape.Dimensions.Skip(1)];
        _row = checked((int)(shape.ElementCount / _first));
        _rowsPerBlock = (int)Math.Clamp(blockBytes / ((long)_row * elementSize), 1, Math.Min(_first, int.MaxValue));
    }

    /// <inheritdoc/>
    public override long ByteLength => _source.ByteLength;

    /// <inheritdoc/>
    public override void Read(long offset, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(destination.Length, ByteLength - offset, nameof(destination));
        long blockBytes = (long)_rowsPerBlock * _row * _elementSize;
        lock (_lock)
        {
            while (destination.Length > 0)
            {
                byte[] block = Block(offset / blockBytes * _rowsPerBlock);
                int skipped = (int)(offset % blockBytes);
                int count = Math.Min(destination.Length, block.Length - skipped);
                block.AsSpan(skipped, count).CopyTo(destination);
                offset += count;
                destination = destination[count..];
            }
        }
    }

    private byte[] Block(long start)
    {
        if (_blockStart == start && _block.TryGetTarget(out byte[]? kept))
        {
            return kept;
        }

        byte[] block = Turn(start, (int)Math.Min(_rowsPerBlock, _first - start));
        _block.SetTarget(block);
        _blockStart = start;
        return block;
    }

    /// <summary>The rows <paramref name="start"/> … of the result.</summary>
    private byte[] Turn(long start, int count)
    {
        byte[] block = new byte[(long)count * _row * _elementSize];
        int stripRows = Math.Clamp(StripBytes / (count * _elementSize), 1, _row);
        byte[] strip = new byte[(long)stripRows * count * _elementSize];
        int[] columns = new int[stripRows];
        var odometer = new FortranOdometer(_others);
        for (int r = 0; r < _row; r += stripRows)
        {
            int height = Math.Min(stripRows, _row - r);
            ReadStrip(r, height, start, count, strip);
            odometer.Next(columns.AsSpan(0, height));
            switch (_elementSize)
            {
                case 1:
                    Scatter<byte>(strip, block, columns.AsSpan(0, height), count);
                    break;
                case 2:
                    Scatter<ushort>(strip, block, columns.AsSpan(0, height), count);
                    break;
                case 4:
                    Scatter<uint>(strip, block, columns.AsSpan(0, height), count);
                    break;
                case 8:
                    Scatter<ulong>(strip, block, columns.AsSpan(0, height), count);
                    break;
                default:
                    Scatter<UInt128>(strip, block, columns.AsSpan(0, height), count);
                    break;
            }
        }

        return block;
    }

    private void ReadStrip(int row, int height, long start, int count, byte[] strip)
    {
        int segment = count * _elementSize;
        if (count == _first)
        {
            _source.Read((long)row * segment, strip.AsSpan(0, height * segment));
            return;
        }

        for (int i = 0; i < height; i++)
        {
            _source.Read((((row + i) * _first) + start) * _elementSize, strip.AsSpan(i * segment, segment));
        }
    }

    private void Scatter<T>(byte[] strip, byte[] block, ReadOnlySpan<int> columns, int count)
        where T : struct
    {
        var from = MemoryMarshal.Cast<byte, T>(strip.AsSpan());
        var to = MemoryMarshal.Cast<byte, T>(block.AsSpan());
        for (int top = 0; top < columns.Length; top += TileRows)
        {
            var tile = columns.Slice(top, Math.Min(TileRows, columns.Length - top));
            var rows = from[(top * count)..];
            for (int i = 0; i < count; i++)
            {
                var line = to.Slice(i * _row, _row);
                int at = i;
                foreach (int column in tile)
                {
                    line[column] = rows[at];
                    at += count;
                }
            }
        }
    }
}
