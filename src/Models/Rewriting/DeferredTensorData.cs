using Condense.Models.Tensors;

namespace Condense.Models.Rewriting;

/// <summary>Bytes that are opened when they are wanted and let go afterwards, so that one tensor at a time is in memory while a file is written.</summary>
/// <param name="open">Opens them; called for each reading.</param>
/// <param name="byteLength">How many they are.</param>
internal sealed class DeferredTensorData(Func<TensorData> open, long byteLength) : TensorData
{
    /// <inheritdoc/>
    public override long ByteLength => byteLength;

    /// <inheritdoc/>
    public override void Read(long offset, Span<byte> destination) => open().Read(offset, destination);

    /// <inheritdoc/>
    public override Task CopyToAsync(Stream destination, CancellationToken cancellationToken) => open().CopyToAsync(destination, cancellationToken);
}
