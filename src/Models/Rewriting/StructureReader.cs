using Condense.Models.Tensors;

namespace Condense.Models.Rewriting;

/// <summary>Finds structured layers again by a file's metadata.</summary>
internal static class StructureReader
{
    /// <summary>See <see cref="ModelRewriter.FindStructured"/>.</summary>
    /// <param name="model">Any model.</param>
    public static IReadOnlyList<StructuredLayer> Find(Model model)
    {
        var records = StructureMetadata.Read(model.Metadata);
        if (records.IsEmpty)
        {
            return [];
        }

        // Names in subgraphs may repeat; those that a rewriting adds never do.
        var byName = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var tensor in model.Tensors)
        {
            byName.TryAdd(tensor.Name, tensor);
        }

        return [.. records.Select(record => Find(model.Format, record, byName))];
    }

    private static StructuredLayer Find(ModelFormat format, LayerRecord record, Dictionary<string, Tensor> byName)
    {
        var data = new Dictionary<string, TensorData>(StringComparer.Ordinal);
        foreach (var slot in StructureTensors.Slots(record.Form))
        {
            string name = record.TensorName(slot.Suffix);
            if (!byName.TryGetValue(name, out var tensor))
            {
                throw new ModelFormatException(
                    ModelFormatError.TensorInvalidInfo, $"The metadata of layer '{record.Name}' names a tensor '{name}' that the file does not have.", tensor: name);
            }

            if (!IsOf(slot, tensor.DType) || tensor.Data.ByteLength != StructureTensors.ByteLength(slot))
            {
                throw new ModelFormatException(
                    ModelFormatError.TensorInvalidInfo,
                    $"The metadata of layer '{record.Name}' says that '{name}' is {slot.DType} {slot.Shape}; the file has {tensor.DType} {tensor.Shape}.",
                    tensor: name);
            }

            // ONNX stores matrices as the original did; safetensors does so for a dense tensor alone.
            bool turned = record.Transposed && (format == ModelFormat.Onnx || slot.Suffix.Length == 0);
            data.Add(slot.Suffix, SlotData.FromFile(tensor.Data, slot, turned));
        }

        return new StructuredLayer(
            record.Name, record.DType, new TensorShape(record.Shape.AsSpan()), record.Transposed, record.Form, record.Method, suffix => data[suffix])
        {
            TensorNames = [.. StructureTensors.Slots(record.Form).Select(slot => record.TensorName(slot.Suffix))],
        };
    }

    // ONNX has types of its own for 4 bits; the bytes are the same.
    private static bool IsOf(TensorSlot slot, DType type)
        => type == slot.DType || (slot.Packed is { Bits: 4 } packed && type == (packed.Signed ? DType.I4 : DType.U4));
}
