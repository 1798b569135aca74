using Microsoft.Win32.SafeHandles;

namespace Condense.Models.Tensors;

/// <summary>Bytes in an open file, read when asked for.</summary>
public sealed class FileTensorData : TensorData
{
    private readonly SafeFileHandle _file;
    private readonly long _start;

    /// <summary>Names a range of a file.</summary>
    /// <param name="file">The open file; closed by whoever opened it.</param>
    /// <param name="start">The range's first byte.</param>
    /// <param name="byteLength">The range's length.</param>
    public FileTensorData(SafeFileHandle file, long start, long byteLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfNegative(byteLength);
        _file = file;
        _start = start;
        ByteLength = byteLength;
    }

    /// <inheritdoc/>
    public override long ByteLength { get; }

    /// <inheritdoc/>
    public override void Read(long offset, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(destination.Length, ByteLength - offset, nameof(destination));
        while (destination.Length > 0)
        {
            int count = RandomAccess.Read(_file, destination, _start + offset);
            if (count == 0)
            {
                throw new EndOfStreamException($"The file ends at byte {RandomAccess.GetLength(_file)}; it was longer when it was opened.");
            }

            offset += count;
            destination = destination[count..];
        }
    }
}
