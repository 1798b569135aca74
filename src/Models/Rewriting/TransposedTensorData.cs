using System.Runtime.InteropServices;
using Condense.Models.Tensors;

namespace Condense.Models.Rewriting;

/// <summary>
/// A matrix read the other way round: the bytes of Aᵀ from those of A. In memory while it is copied: the matrix, or <see cref="BlockBytes"/> of it
/// when it is larger, then with one pass over A for each block. A reading of a part costs a pass over A.
/// </summary>
/// <param name="open">Opens A's bytes; called for each reading.</param>
/// <param name="rows">Rows of A.</param>
/// <param name="columns">Columns of A.</param>
/// <param name="elementSize">Bytes of an element: 1, 2 or 4.</param>
/// <param name="blockBytes">Bytes of Aᵀ that are put together at once.</param>
internal sealed class TransposedTensorData(
    Func<TensorData> open, int rows, int columns, int elementSize, int blockBytes = TransposedTensorData.BlockBytes) : TensorData
{
    /// <summary>Bytes of Aᵀ that are put together at once unless told otherwise.</summary>
    public const int BlockBytes = 256 << 20;

    // Rows of A are read in strips that stay in the second-level cache while they are turned.
    private const int StripBytes = 256 << 10;

    private readonly long _rowBytes = (long)rows * elementSize;

    /// <inheritdoc/>
    public override long ByteLength => _rowBytes * columns;

    /// <inheritdoc/>
    public override void Read(long offset, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(destination.Length, ByteLength - offset, nameof(destination));
        if (destination.IsEmpty)
        {
            return;
        }

        var source = open();
        int last = (int)((offset + destination.Length - 1) / _rowBytes);
        for (int column = (int)(offset / _rowBytes); column <= last;)
        {
            int count = Math.Min(ColumnsPerBlock, last - column + 1);
            byte[] block = Turn(source, column, count);
            long start = column * _rowBytes;
            long from = Math.Max(offset, start);
            long to = Math.Min(offset + destination.Length, start + block.Length);
            block.AsSpan((int)(from - start), (int)(to - from)).CopyTo(destination[(int)(from - offset)..]);
            column += count;
        }
    }

    /// <inheritdoc/>
    public override async Task CopyToAsync(Stream destination, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(destination);
        var source = open();
        for (int column = 0; column < columns;)
        {
            int count = Math.Min(ColumnsPerBlock, columns - column);
            await destination.WriteAsync(Turn(source, column, count), cancellationToken);
            column += count;
        }
    }

    private int ColumnsPerBlock => (int)Math.Clamp(blockBytes / Math.Max(1, _rowBytes), 1, Math.Max(1, columns));

    /// <summary>Rows <paramref name="column"/> … of Aᵀ.</summary>
    private byte[] Turn(TensorData source, int column, int count)
    {
        byte[] block = new byte[_rowBytes * count];
        int stripRows = Math.Clamp(StripBytes / (count * elementSize), 1, Math.Max(1, rows));
        byte[] strip = new byte[stripRows * count * elementSize];
        for (int row = 0; row < rows; row += stripRows)
        {
            int height = Math.Min(stripRows, rows - row);
            ReadStrip(source, row, height, column, count, strip);
            switch (elementSize)
            {
                case 1:
                    Scatter<byte>(strip, block, row, height, count);
                    break;
                case 2:
                    Scatter<short>(strip, block, row, height, count);
                    break;
                default:
                    Scatter<int>(strip, block, row, height, count);
                    break;
            }
        }

        return block;
    }

    private void ReadStrip(TensorData source, int row, int height, int column, int count, byte[] strip)
    {
        int segment = count * elementSize;
        if (count == columns)
        {
            source.Read((long)row * segment, strip.AsSpan(0, height * segment));
            return;
        }

        for (int i = 0; i < height; i++)
        {
            source.Read((((long)(row + i) * columns) + column) * elementSize, strip.AsSpan(i * segment, segment));
        }
    }

    private void Scatter<T>(byte[] strip, byte[] block, int row, int height, int count)
        where T : struct
    {
        var from = MemoryMarshal.Cast<byte, T>(strip.AsSpan());
        var to = MemoryMarshal.Cast<byte, T>(block.AsSpan());
        for (int column = 0; column < count; column++)
        {
            var line = to.Slice((column * rows) + row, height);
            for (int i = 0; i < line.Length; i++)
            {
                line[i] = from[(i * count) + column];
            }
        }
    }
}
