using Condense.Models.Tensors;

namespace Condense.Models.Rewriting;

/// <summary>The bytes of a structure's tensors between its own orientation (out×in) and the file's.</summary>
internal static class SlotData
{
    /// <summary>The bytes that go into the file.</summary>
    /// <param name="layer">The layer and where its bytes come from; zeros when only the size is wanted.</param>
    /// <param name="slot">The tensor.</param>
    /// <param name="turned">Whether the file stores its matrices transposed.</param>
    public static TensorData ToFile(CompressedLayer layer, TensorSlot slot, bool turned)
    {
        long byteLength = StructureTensors.ByteLength(slot);
        if (layer.Data is not { } open)
        {
            return new ZeroTensorData(byteLength);
        }

        return turned && Numbers(slot).Rank == 2 ? Turn(Open, Numbers(slot), slot) : new DeferredTensorData(Open, byteLength);

        TensorData Open()
        {
            var data = open(slot.Suffix);
            return data.ByteLength == byteLength
                ? data
                : throw new InvalidOperationException(
                    $"The tensor '{layer.Layer.Name}{slot.Suffix}' has {data.ByteLength} bytes; its structure's form says {byteLength}.");
        }
    }

    /// <summary>The bytes in the structure's own orientation.</summary>
    /// <param name="data">The bytes in the file.</param>
    /// <param name="slot">The tensor.</param>
    /// <param name="turned">Whether the file stores its matrices transposed.</param>
    public static TensorData FromFile(TensorData data, TensorSlot slot, bool turned) => turned && Numbers(slot).Rank == 2
        ? Turn(() => data, new TensorShape(Numbers(slot)[1], Numbers(slot)[0]), slot)
        : data;

    private static TensorShape Numbers(TensorSlot slot) => slot.Packed?.Shape ?? slot.Shape;

    private static TensorData Turn(Func<TensorData> open, TensorShape source, TensorSlot slot)
    {
        var (rows, columns) = (checked((int)source[0]), checked((int)source[1]));
        return slot.Packed is { } packed
            ? new PackedTensorData(
                new TransposedTensorData(() => new UnpackedTensorData(open(), packed), rows, columns, elementSize: 1), packed.Bits, TransposedTensorData.BlockBytes)
            : new TransposedTensorData(open, rows, columns, slot.DType.BitsPerElement() / 8);
    }
}
