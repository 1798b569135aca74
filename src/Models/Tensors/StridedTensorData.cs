using System.Buffers;
using System.Runtime.InteropServices;

namespace Condense.Models.Tensors;

/// <summary>
/// A view of stored elements read row-major: element (i₀, i₁, …) is the stored one of index <c>first + Σ iₖ·strideₖ</c>. Strides are ≥ 0; with 0, elements
/// repeat. A reading loads the stored range between the first and the last element that it needs when that is not much more than it returns (a slice
/// of columns), else the whole view, which stays in memory while it is in use (a transposed matrix), or, beyond <paramref name="blockBytes"/>,
/// one block of it after another. Threads may read at the same time.
/// </summary>
/// <param name="source">The stored bytes.</param>
/// <param name="elementBytes">Bytes of an element: 1, 2, 4, 8 or 16.</param>
/// <param name="first">The index of the first element.</param>
/// <param name="sizes">The dimensions, outermost first.</param>
/// <param name="strides">As many strides, in elements. The caller has checked that every element lies in the source.</param>
/// <param name="blockBytes">The most bytes that are loaded at once.</param>
internal sealed class StridedTensorData(
    TensorData source, int elementBytes, long first, ReadOnlySpan<long> sizes, ReadOnlySpan<long> strides, int blockBytes = StridedTensorData.BlockBytes)
    : TensorData
{
    /// <summary>The most bytes that are loaded at once unless told otherwise.</summary>
    public const int BlockBytes = 256 << 20;

    // A range is loaded for one reading alone when it is no longer than this many times what is asked for, and a buffer.
    private const int DenseRatio = 4;
    private const int DenseBytes = 1 << 16;

    private readonly (long Size, long Stride)[] _axes = Merge(sizes, strides);
    private readonly WeakReference<byte[]?> _whole = new(null);

    /// <inheritdoc/>
    public override long ByteLength { get; } = checked(new TensorShape(sizes).ElementCount * elementBytes);

    /// <summary>Whether a view is stored row-major without gaps, so that its bytes can be read as they lie. O(rank).</summary>
    /// <param name="sizes">The dimensions.</param>
    /// <param name="strides">The strides, in elements.</param>
    public static bool IsContiguous(ReadOnlySpan<long> sizes, ReadOnlySpan<long> strides) => Merge(sizes, strides) is [] or [(_, 1)];

    /// <inheritdoc/>
    public override void Read(long offset, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(destination.Length, ByteLength - offset, nameof(destination));
        int lead = (int)(-offset & (elementBytes - 1));
        if (lead != 0)
        {
            // A part of an element at the beginning, and one at the end, are taken from the whole element.
            Span<byte> whole = stackalloc byte[elementBytes];
            int taken = Math.Min(lead, destination.Length);
            ReadElements(offset / elementBytes, whole[..(destination.IsEmpty ? 0 : elementBytes)]);
            whole.Slice(elementBytes - lead, taken).CopyTo(destination);
            offset += taken;
            destination = destination[taken..];
        }

        int tail = destination.Length & (elementBytes - 1);
        ReadElements(offset / elementBytes, destination[..^tail]);
        if (tail != 0)
        {
            Span<byte> whole = stackalloc byte[elementBytes];
            ReadElements((offset + destination.Length - tail) / elementBytes, whole);
            whole[..tail].CopyTo(destination[^tail..]);
        }
    }

    private void ReadElements(long element, Span<byte> destination)
    {
        if (destination.IsEmpty)
        {
            return;
        }

        var (low, high) = RangeOf(element, element + (destination.Length / elementBytes) - 1);
        long bytes = checked((high - low + 1) * elementBytes);
        if (bytes <= Math.Min(blockBytes, ((long)DenseRatio * destination.Length) + DenseBytes))
        {
            LoadAndGather(element, destination, low, bytes);
            return;
        }

        var (lowest, highest) = RangeOf(0, (ByteLength / elementBytes) - 1);
        long wholeBytes = checked((highest - lowest + 1) * elementBytes);
        if (wholeBytes <= blockBytes)
        {
            Gather(element, destination, lowest, LoadWhole(lowest, wholeBytes));
            return;
        }

        long step = Math.Max(1, blockBytes / elementBytes);
        for (long start = low; start <= high; start += step)
        {
            LoadAndGather(element, destination, start, Math.Min(step, high - start + 1) * elementBytes);
        }
    }

    private void LoadAndGather(long element, Span<byte> destination, long start, long bytes)
    {
        byte[] loaded = ArrayPool<byte>.Shared.Rent((int)bytes);
        try
        {
            source.Read(start * elementBytes, loaded.AsSpan(0, (int)bytes));
            Gather(element, destination, start, loaded.AsSpan(0, (int)bytes));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(loaded);
        }
    }

    // The least and the greatest stored index of elements that follow each other: along the outermost axis on which the first and the last differ they
    // are ordered, and further inside they may take any place.
    private (long Low, long High) RangeOf(long element, long last)
    {
        long inner = ByteLength / elementBytes;
        long low = first;
        long high = first;
        bool differ = false;
        foreach (var (size, stride) in _axes)
        {
            inner /= size;
            long from = differ ? 0 : element / inner % size;
            long to = differ ? size - 1 : last / inner % size;
            low += from * stride;
            high += to * stride;
            differ |= from != to;
        }

        return (low, high);
    }

    private byte[] LoadWhole(long lowest, long bytes)
    {
        lock (_whole)
        {
            if (!_whole.TryGetTarget(out byte[]? whole))
            {
                whole = GC.AllocateUninitializedArray<byte>((int)bytes);
                source.Read(lowest * elementBytes, whole);
                _whole.SetTarget(whole);
            }

            return whole;
        }
    }

    private void Gather(long element, Span<byte> destination, long start, ReadOnlySpan<byte> loaded)
    {
        switch (elementBytes)
        {
            case 1:
                Gather<byte>(element, destination, start, loaded);
                break;
            case 2:
                Gather<ushort>(element, destination, start, loaded);
                break;
            case 4:
                Gather<uint>(element, destination, start, loaded);
                break;
            case 8:
                Gather<ulong>(element, destination, start, loaded);
                break;
            default:
                Gather<UInt128>(element, destination, start, loaded);
                break;
        }
    }

    // Puts the elements that lie among the loaded ones where they belong; runs along the innermost axis.
    private void Gather<T>(long element, Span<byte> destination, long start, ReadOnlySpan<byte> loaded)
        where T : unmanaged
    {
        var from = MemoryMarshal.Cast<byte, T>(loaded);
        var to = MemoryMarshal.Cast<byte, T>(destination);
        var (innerSize, innerStride) = _axes.Length == 0 ? (1, 0) : _axes[^1];
        while (!to.IsEmpty)
        {
            long along = element % innerSize;
            int run = (int)Math.Min(innerSize - along, to.Length);
            long index = IndexOf(element) - start;
            if (innerStride == 1 && index >= 0 && index <= from.Length - run)
            {
                from.Slice((int)index, run).CopyTo(to);
            }
            else
            {
                for (int i = 0; i < run; i++, index += innerStride)
                {
                    if (index >= 0 && index < from.Length)
                    {
                        to[i] = from[(int)index];
                    }
                }
            }

            element += run;
            to = to[run..];
        }
    }

    private long IndexOf(long element)
    {
        long index = first;
        for (int axis = _axes.Length - 1; axis >= 0; axis--)
        {
            var (size, stride) = _axes[axis];
            index += element % size * stride;
            element /= size;
        }

        return index;
    }

    // Axes of one element say nothing; neighbours that continue each other are one. Empty views have no axis.
    private static (long Size, long Stride)[] Merge(ReadOnlySpan<long> sizes, ReadOnlySpan<long> strides)
    {
        var axes = new List<(long Size, long Stride)>(sizes.Length);
        if (sizes.Contains(0))
        {
            return [];
        }

        for (int axis = 0; axis < sizes.Length; axis++)
        {
            if (sizes[axis] == 1)
            {
                continue;
            }

            if (axes.Count > 0 && (Int128)strides[axis] * sizes[axis] == axes[^1].Stride)
            {
                axes[^1] = (axes[^1].Size * sizes[axis], strides[axis]);
            }
            else
            {
                axes.Add((sizes[axis], strides[axis]));
            }
        }

        return [.. axes];
    }
}
