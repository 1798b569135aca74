using System.Buffers;

namespace Condense.Service.Uploads;

/// <summary>Bytes that have arrived and are not durable yet. It grows with what comes, so that a slow sender takes little.</summary>
internal sealed class UploadBuffer : IDisposable
{
    /// <summary>The most bytes: as many are made durable at once.</summary>
    public const int MaxBytes = 4 << 20;

    private const int FirstBytes = 64 << 10;

    private byte[] _bytes = ArrayPool<byte>.Shared.Rent(FirstBytes);

    /// <summary>How many there are.</summary>
    public int Count { get; private set; }

    /// <summary>Whether they are as many as there may be.</summary>
    public bool IsFull => Count == MaxBytes;

    /// <summary>The bytes.</summary>
    public ReadOnlyMemory<byte> Bytes => _bytes.AsMemory(0, Count);

    /// <summary>Room for more; never empty unless the buffer is full.</summary>
    public Memory<byte> Free
    {
        get
        {
            if (Count == _bytes.Length && Count < MaxBytes)
            {
                byte[] larger = ArrayPool<byte>.Shared.Rent(int.Min(2 * Count, MaxBytes));
                _bytes.CopyTo(larger, 0);
                ArrayPool<byte>.Shared.Return(_bytes);
                _bytes = larger;
            }

            return _bytes.AsMemory(Count, int.Min(_bytes.Length, MaxBytes) - Count);
        }
    }

    /// <summary>Counts bytes that were written to <see cref="Free"/>.</summary>
    public void Advance(int count) => Count += count;

    /// <summary>Begins anew.</summary>
    public void Clear() => Count = 0;

    /// <inheritdoc/>
    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = [];
    }
}
