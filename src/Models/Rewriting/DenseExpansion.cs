using Condense.Engine.Structures;
using Condense.Models.Formats.Onnx;
using Condense.Models.Graph;
using Condense.Models.Rewriting.Opsets;
using Condense.Models.Tensors;

namespace Condense.Models.Rewriting;

/// <summary>Puts dense weights in the place of structures: the way back from <see cref="ModelRewriter.Rewrite"/>, but for what was lost.</summary>
internal static class DenseExpansion
{
    /// <summary>See <see cref="ModelRewriter.Expand"/>.</summary>
    /// <param name="original">The model that was compressed.</param>
    /// <param name="compressed">What came of it.</param>
    public static Model Expand(Model original, Model compressed)
    {
        var model = SameForm(original, compressed);
        var layers = LayerFinder.Find(model).ToDictionary(layer => layer.Name, StringComparer.Ordinal);

        // What the original itself held as structures of an earlier compression is as it was.
        var earlier = ModelRewriter.FindStructured(original).Select(layer => layer.Name).ToHashSet(StringComparer.Ordinal);
        var dense = ModelRewriter.FindStructured(compressed)
            .Where(layer => layers.ContainsKey(layer.Name) || !earlier.Contains(layer.Name))
            .Select(layer => Decode(layers.GetValueOrDefault(layer.Name), layer))
            .ToList();
        return WithMetadataOf(model, ModelRewriter.Rewrite(model, dense));
    }

    private static Model SameForm(Model original, Model compressed)
    {
        if (original.Program is not { } before || compressed.Program is not { } after)
        {
            return original.Program is null && original.Format != compressed.Format ? original.WithFormat(compressed.Format) : original;
        }

        return after.Opset > before.Opset ? OpsetConversion.Convert(original, after.Opset) : original;
    }

    private static CompressedLayer Decode(Layer? layer, StructuredLayer structured)
    {
        if (layer is null || !layer.Tensor.Shape.Equals(structured.Shape))
        {
            throw new ModelFormatException(
                ModelFormatError.TensorInvalidInfo, $"The compressed model has a layer '{structured.Name}' of {structured.Shape}; the original does not.", tensor: structured.Name);
        }

        // As the compression saw it.
        layer = layer with { Rows = structured.Form.Rows, Columns = structured.Form.Columns, Transposed = structured.Transposed };

        var format = layer.Tensor.DType switch
        {
            DType.F16 => FloatFormat.F16,
            DType.BF16 => FloatFormat.BF16,
            _ => FloatFormat.F32,
        };
        return new CompressedLayer(
            layer,
            new DenseForm(layer.Rows, layer.Columns, format),
            _ => StructureTensors.Write(new DenseMatrix(StructureTensors.Read(structured.Form, structured.Data).ToDense(), format), layer.Name)[0].Data,
            structured.Method);
    }

    /// <summary>A dense weight is no structure: the record of them stays as the original had it.</summary>
    private static Model WithMetadataOf(Model original, Model expanded)
    {
        if (expanded.Program is { } program)
        {
            program.Metadata.Clear();
            program.Metadata.AddRange(original.Program!.Metadata);
            return new Model(expanded.Format, OnnxReader.AllTensors(program), program, original.Metadata, []);
        }

        return new Model(expanded.Format, expanded.Tensors, program: null, original.Metadata, []);
    }
}
