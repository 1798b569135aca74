using Condense.Models.Tensors;

namespace Condense.Models.Rewriting;

/// <summary>Puts structures in the place of the tensors of a file without a graph: whoever loads it multiplies the factors.</summary>
internal static class SafetensorsRewriter
{
    /// <summary>Makes the model whose layers are structures; see <see cref="ModelRewriter.Rewrite"/>.</summary>
    /// <param name="model">The original.</param>
    /// <param name="layers">The layers to replace, each checked.</param>
    public static Model Rewrite(Model model, IReadOnlyList<CompressedLayer> layers)
    {
        var byName = layers.ToDictionary(layer => layer.Layer.Tensor.Name, StringComparer.Ordinal);
        var names = new UniqueNames(model.Tensors.Select(tensor => tensor.Name).Where(name => !byName.ContainsKey(name)));
        var tensors = new List<Tensor>(model.Tensors.Length + (2 * layers.Count));
        var records = new List<LayerRecord>(layers.Count);
        foreach (var tensor in model.Tensors)
        {
            if (byName.TryGetValue(tensor.Name, out var layer))
            {
                records.Add(Replace(layer, names, tensors));
            }
            else
            {
                tensors.Add(tensor);
            }
        }

        var metadata = new SortedDictionary<string, string>(model.Metadata.ToDictionary(StringComparer.Ordinal), StringComparer.Ordinal)
        {
            [StructureMetadata.Key] = StructureMetadata.Merge(model.Metadata, byName.Keys.ToHashSet(StringComparer.Ordinal), records),
        };
        return new Model(model.Format, [.. tensors], null, metadata, []);
    }

    private static LayerRecord Replace(CompressedLayer layer, UniqueNames names, List<Tensor> tensors)
    {
        var original = layer.Layer;
        var named = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var slot in StructureTensors.Slots(layer.Form))
        {
            // A dense tensor stays the tensor that it was, in another type; factors and codes are matrices of out×in.
            bool dense = slot.Suffix.Length == 0;
            string name = names.New(original.Tensor.Name + slot.Suffix);
            named.Add(slot.Suffix, name);
            tensors.Add(new Tensor(
                name, slot.DType, dense ? original.Tensor.Shape : slot.Shape, SlotData.ToFile(layer, slot, dense && original.Transposed)));
        }

        return LayerRecord.Of(layer, named);
    }
}
