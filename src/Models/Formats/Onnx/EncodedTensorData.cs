using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Immutable;
using Condense.Models.Tensors;

namespace Condense.Models.Formats.Onnx;

/// <summary>
/// A tensor in one of the typed fields (<c>float_data</c>, <c>int32_data</c>, …), decoded when read. Runs are short enough that finding an element
/// within one costs little.
/// </summary>
internal sealed class EncodedTensorData : TensorData
{
    private const int MaxVarintBytes = 10;
    private const int BufferBytes = 1 << 14;

    private readonly TensorData _file;
    private readonly ImmutableArray<EncodedElements> _runs;
    private readonly int _fixedBytes;
    private readonly int _width;
    private readonly bool _boolean;

    /// <summary>Names the runs of a file.</summary>
    /// <param name="file">The whole file.</param>
    /// <param name="runs">In order, without gaps.</param>
    /// <param name="fixedBytes">Bytes of each element as it is encoded; 0 for variable-length integers.</param>
    /// <param name="width">Bytes of each element when decoded; of an integer, the lowest ones.</param>
    /// <param name="boolean">Whether anything but zero counts as one.</param>
    internal EncodedTensorData(TensorData file, ImmutableArray<EncodedElements> runs, int fixedBytes, int width, bool boolean)
    {
        _file = file;
        _runs = runs;
        _fixedBytes = fixedBytes;
        _width = width;
        _boolean = boolean;
        ByteLength = runs.IsEmpty ? 0 : (runs[^1].First + runs[^1].Count) * width;
    }

    /// <inheritdoc/>
    public override long ByteLength { get; }

    /// <inheritdoc/>
    public override void Read(long offset, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(destination.Length, ByteLength - offset, nameof(destination));
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            for (int i = FindRun(offset / _width); destination.Length > 0; i++)
            {
                long skip = offset - (_runs[i].First * _width);
                int count = (int)Math.Min(destination.Length, (_runs[i].Count * _width) - skip);
                ReadRun(_runs[i], skip, destination[..count], buffer);
                destination = destination[count..];
                offset += count;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private int FindRun(long element)
    {
        int low = 0;
        int high = _runs.Length - 1;
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            if (_runs[middle].First <= element)
            {
                low = middle;
            }
            else
            {
                high = middle - 1;
            }
        }

        return low;
    }

    private void ReadRun(EncodedElements run, long skip, Span<byte> destination, byte[] buffer)
    {
        if (_fixedBytes > 0 && run.TagBytes == 0)
        {
            _file.Read(run.Start + skip, destination);
            return;
        }

        // Elements of unequal length, or with tags between: walk from the run's first one. Bytes are asked for a buffer at a time.
        Span<byte> element = stackalloc byte[sizeof(ulong)];
        long position = run.Start;
        int filled = 0;
        int used = 0;
        long done = -skip;
        for (int i = 0; i < run.Count && done < destination.Length; i++)
        {
            if (filled - used < run.TagBytes + MaxVarintBytes)
            {
                position += used;
                filled = (int)Math.Min(BufferBytes, _file.ByteLength - position);
                _file.Read(position, buffer.AsSpan(0, filled));
                used = 0;
            }

            used += run.TagBytes;
            ulong value = _fixedBytes switch
            {
                sizeof(uint) => BinaryPrimitives.ReadUInt32LittleEndian(buffer.AsSpan(used)),
                sizeof(ulong) => BinaryPrimitives.ReadUInt64LittleEndian(buffer.AsSpan(used)),
                _ => ReadVarint(buffer, ref used),
            };
            used += _fixedBytes;
            BinaryPrimitives.WriteUInt64LittleEndian(element, _boolean && value != 0 ? 1 : value);

            // The asked range may begin or end within an element.
            int from = (int)Math.Max(0, -done);
            if (from < _width)
            {
                int count = (int)Math.Min(_width - from, destination.Length - (done + from));
                element.Slice(from, count).CopyTo(destination[(int)(done + from)..]);
            }

            done += _width;
        }
    }

    private static ulong ReadVarint(byte[] buffer, ref int position)
    {
        ulong value = 0;
        for (int shift = 0; shift < 7 * MaxVarintBytes; shift += 7)
        {
            byte next = buffer[position++];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }

        throw new IOException("The file has changed since it was opened.");
    }
}
