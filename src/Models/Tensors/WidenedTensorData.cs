using System.Runtime.InteropServices;

namespace Condense.Models.Tensors;

/// <summary>Floating-point numbers of 16 bits and fewer as the bytes of f32, which holds each of them exactly; converted when they are read. Not for several threads at once.</summary>
/// <param name="tensor">A tensor of such a type.</param>
internal sealed class WidenedTensorData(Tensor tensor) : TensorData
{
    private const int ChunkElements = 1 << 14;

    private readonly FloatElements _elements = new(tensor);
    private float[] _values = [];

    /// <inheritdoc/>
    public override long ByteLength { get; } = checked(tensor.Shape.ElementCount * sizeof(float));

    /// <inheritdoc/>
    public override void Read(long offset, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(destination.Length, ByteLength - offset, nameof(destination));
        if (_values.Length == 0)
        {
            _values = new float[(int)Math.Min(ChunkElements, Math.Max(1, tensor.Shape.ElementCount))];
        }

        while (!destination.IsEmpty)
        {
            // A part may begin and end within an element.
            long first = offset / sizeof(float);
            int skipped = (int)(offset % sizeof(float));
            var chunk = _values.AsSpan(0, (int)Math.Min(_values.Length, ((long)skipped + destination.Length + sizeof(float) - 1) / sizeof(float)));
            _elements.Read(first, chunk);
            var bytes = MemoryMarshal.AsBytes(chunk)[skipped..];
            bytes = bytes[..Math.Min(bytes.Length, destination.Length)];
            bytes.CopyTo(destination);
            destination = destination[bytes.Length..];
            offset += bytes.Length;
        }
    }
}
