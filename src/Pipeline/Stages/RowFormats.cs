using Condense.Engine.Structures;
using Condense.Models.Graph;
using Condense.Models.Tensors;

namespace Condense.Pipeline.Stages;

/// <summary>Formats of rows, and mixtures of two of them.</summary>
internal static class RowFormats
{
    /// <summary>Entries that share a scale among short codes: so many that scales cost little.</summary>
    private const int WideGroup = 128;

    /// <summary>
    /// The formats that a layer may have as a whole, ascending in bytes and, by rule, descending in loss: a chain in which every step is worth its bytes, so
    /// that mixtures of neighbours reach any size between the smallest and the largest. O(formats·log).
    /// </summary>
    /// <param name="layer">The layer.</param>
    /// <param name="inGraph">Whether a graph has to read the codes.</param>
    /// <param name="supported">Whether a form can take the layer's place.</param>
    public static IReadOnlyList<StructureForm> Chain(Layer layer, bool inGraph, Func<StructureForm, bool> supported)
    {
        var all = QuantizedLadder.Forms(layer, asked: null, withTarget: true, inGraph, supported).Cast<StructureForm>().ToList();
        all.Add(Plain(layer, 16));
        if (layer.Tensor.DType is not (DType.F16 or DType.BF16))
        {
            all.Add(Plain(layer, 32));
        }

        var chain = new List<StructureForm>();
        foreach (var form in all.OrderBy(form => form.StorageBits))
        {
            if (chain.Count == 0 || Noise(form) < Noise(chain[^1]))
            {
                chain.Add(form);
            }
        }

        return chain;
    }

    /// <summary>The format of so many bits that needs no choice: floats, or codes with a scale for a row; for short codes with a zero point, and scales for parts of long rows.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="bits">2 to 8: codes; 16 and 32: floats.</param>
    public static StructureForm Plain(Layer layer, int bits)
    {
        bool grouped = bits < 8 && layer.Columns > WideGroup;
        return bits switch
        {
            16 => new DenseForm(layer.Rows, layer.Columns, layer.Tensor.DType == DType.BF16 ? FloatFormat.BF16 : FloatFormat.F16),
            32 => new DenseForm(layer.Rows, layer.Columns, FloatFormat.F32),
            _ => new QuantizedForm(
                layer.Rows, layer.Columns, bits, symmetric: bits == 8, grouped ? QuantizationGranularity.PerGroup : QuantizationGranularity.PerRow, grouped ? WideGroup : 0),
        };
    }

    /// <summary>Leading rows in one format, the others in another.</summary>
    /// <param name="wide">The format of the leading rows.</param>
    /// <param name="narrow">That of the others.</param>
    /// <param name="wideRows">How many rows lead.</param>
    /// <param name="rows">How many there are.</param>
    public static RowPartitionForm Mix(StructureForm wide, StructureForm narrow, int wideRows, int rows) => new([Rows(wide, wideRows), Rows(narrow, rows - wideRows)]);

    private static StructureForm Rows(StructureForm form, int count) => form is QuantizedForm codes
        ? new QuantizedForm(count, codes.Columns, codes.CodeBits, codes.Symmetric, codes.Granularity, codes.GroupSize, codes.StoredBits)
        : new DenseForm(count, form.Columns, ((DenseForm)form).Format);

    /// <summary>The squared error to expect, up to a factor: a quarter for each bit, and the square of the range that a scale has to span, which grows like the logarithm of how many share it.</summary>
    private static double Noise(StructureForm form)
    {
        if (form is not QuantizedForm codes)
        {
            return form is DenseForm { Format: FloatFormat.F32 } ? 0 : Math.Pow(4, -20);
        }

        double range = Math.Log2((codes.GroupSize == 0 ? codes.Columns : Math.Min(codes.GroupSize, codes.Columns)) + 1);
        return Math.Pow(4, -codes.CodeBits) * range * range;
    }
}
