using Condense.Engine.Matrices;
using Condense.Engine.Structures;

namespace Condense.Models.Tests.Rewriting;

/// <summary>One structure of each kind, 6×10, its numbers drawn from a seed.</summary>
internal static class SampleStructures
{
    public static IReadOnlyDictionary<string, StructureForm> Forms { get; } = new Dictionary<string, StructureForm>(StringComparer.Ordinal)
    {
        ["f32"] = new DenseForm(6, 10, FloatFormat.F32),
        ["f16"] = new DenseForm(6, 10, FloatFormat.F16),
        ["bf16"] = new DenseForm(6, 10, FloatFormat.BF16),
        ["signed tensor"] = new QuantizedForm(6, 10, 8, true, QuantizationGranularity.PerTensor),
        ["unsigned tensor"] = new QuantizedForm(6, 10, 8, false, QuantizationGranularity.PerTensor),
        ["signed rows"] = new QuantizedForm(6, 10, 8, true, QuantizationGranularity.PerRow),
        ["unsigned columns"] = new QuantizedForm(6, 10, 8, false, QuantizationGranularity.PerColumn),
        ["unsigned groups"] = new QuantizedForm(6, 10, 8, false, QuantizationGranularity.PerGroup, 4),
        ["signed int4 groups"] = new QuantizedForm(6, 10, 4, true, QuantizationGranularity.PerGroup, 4),
        ["unsigned int4 groups"] = new QuantizedForm(6, 10, 4, false, QuantizationGranularity.PerGroup, 4),
        ["signed int3 rows"] = new QuantizedForm(6, 10, 3, true, QuantizationGranularity.PerRow),
        ["unsigned int5 columns"] = new QuantizedForm(6, 10, 5, false, QuantizationGranularity.PerColumn),
        ["signed int6 in bytes"] = new QuantizedForm(6, 10, 6, true, QuantizationGranularity.PerRow, storedBits: 8),
        ["unsigned int2 tensor"] = new QuantizedForm(6, 10, 2, false, QuantizationGranularity.PerTensor),
        ["factors"] = new ProductForm(new DenseForm(6, 2, FloatFormat.F32), new DenseForm(2, 10, FloatFormat.F16)),
        ["quantized factors"] = new ProductForm(
            new QuantizedForm(6, 2, 8, true, QuantizationGranularity.PerRow), new QuantizedForm(2, 10, 8, false, QuantizationGranularity.PerGroup, 4)),
    };

    public static StructuredMatrix Make(string name) => Make(Forms[name], new Random(3));

    private static StructuredMatrix Make(StructureForm form, Random random)
    {
        switch (form)
        {
            case ProductForm product:
                return new ProductMatrix(Make(product.Left, random), Make(product.Right, random));
            case QuantizedForm quantized:
                int levels = 1 << quantized.CodeBits;
                byte[] codes = [.. Enumerable.Range(0, (int)form.ParameterCount).Select(_ => unchecked((byte)(quantized.Symmetric ? random.Next(1, levels) - (levels / 2) : random.Next(levels))))];
                byte[] zeros = [.. Enumerable.Range(0, quantized.Symmetric ? 0 : (int)quantized.ScaleCount).Select(_ => (byte)random.Next(levels))];
                return new QuantizedMatrix(quantized, codes, [.. Enumerable.Range(0, (int)quantized.ScaleCount).Select(_ => random.NextSingle() + 0.1f)], zeros);
            default:
                var values = new Matrix(form.Rows, form.Columns, [.. Enumerable.Range(0, (int)form.ParameterCount).Select(_ => random.NextSingle() - 0.5f)]);
                return new DenseMatrix(values, ((DenseForm)form).Format);
        }
    }
}
