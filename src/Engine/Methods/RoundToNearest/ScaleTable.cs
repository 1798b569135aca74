using System.Numerics.Tensors;
using Condense.Engine.Kernels;
using Condense.Engine.Matrices;
using Condense.Engine.Structures;

namespace Condense.Engine.Methods;

/// <summary>The scales of a whole weight, and its rows rounded with them.</summary>
internal sealed class ScaleTable
{
    /// <summary>Columns that are turned at a time: a cache line of a row.</summary>
    private const int ColumnStrip = 16;

    private readonly Matrix _weight;
    private readonly QuantizedForm _form;
    private readonly CodeScale[] _scales;

    private ScaleTable(Matrix weight, QuantizedForm form, CodeScale[] scales)
    {
        _weight = weight;
        _form = form;
        _scales = scales;
    }

    /// <summary>Measures the range of every row, column or group in one pass, and where asked searches for the part of it that loses least.</summary>
    /// <exception cref="ArgumentException">An entry is NaN or infinite.</exception>
    public static ScaleTable Of(Matrix weight, QuantizedForm form, RangeClipping clipping, int threads)
    {
        bool clip = clipping == RangeClipping.LeastSquares;
        var scales = new CodeScale[form.ScaleCount];
        switch (form.Granularity)
        {
            case QuantizationGranularity.PerColumn:
                OfColumns(weight, form, clip, threads, scales);
                break;
            case QuantizationGranularity.PerTensor:
                scales[0] = OfRun(weight.Values, 0, weight.Columns, form, clip);
                break;
            default:
                int length = form.Granularity == QuantizationGranularity.PerGroup ? form.GroupSize : Math.Max(1, weight.Columns);
                RowBlocks.ForEach(weight.Rows, RowBlocks.Streaming, threads, (_, start, count) =>
                {
                    for (int row = start; row < start + count; row++)
                    {
                        for (int group = 0; group < form.GroupsPerRow; group++)
                        {
                            int first = group * length;
                            var run = weight.Row(row).Slice(first, Math.Min(length, weight.Columns - first));
                            scales[(row * form.GroupsPerRow) + group] = OfRun(run, (row * weight.Columns) + first, weight.Columns, form, clip);
                        }
                    }
                });
                break;
        }

        return new ScaleTable(weight, form, scales);
    }

    /// <summary>The scales, in the order of the form.</summary>
    public float[] Scales() => Array.ConvertAll(_scales, scale => scale.Scale);

    /// <summary>The zero points, in the order of the form; empty when symmetric.</summary>
    public byte[] ZeroPoints() => _form.Symmetric ? [] : Array.ConvertAll(_scales, scale => (byte)scale.ZeroPoint);

    /// <summary>A buffer for the rounding of one row after the other.</summary>
    public RowRounding StartRows() => new(_weight.Columns);

    /// <summary>Rounds a row: <c>t = clamp(round(w ÷ Scale))</c>, ties to even.</summary>
    /// <param name="row">Which row.</param>
    /// <param name="rounding">Takes the steps t, with the scale and zero point of each entry.</param>
    public void Round(int row, RowRounding rounding)
    {
        switch (_form.Granularity)
        {
            case QuantizationGranularity.PerColumn:
                rounding.SpreadOnce(_scales);
                break;
            case QuantizationGranularity.PerTensor:
                rounding.SpreadOnce(_scales[0]);
                break;
            case QuantizationGranularity.PerRow:
                rounding.Spread(_scales[row], 0, _weight.Columns);
                break;
            default:
                for (int group = 0; group < _form.GroupsPerRow; group++)
                {
                    int first = group * _form.GroupSize;
                    rounding.Spread(_scales[(row * _form.GroupsPerRow) + group], first, Math.Min(_form.GroupSize, _weight.Columns - first));
                }

                break;
        }

        rounding.Round(_weight.Row(row));
    }

    private static void OfColumns(Matrix weight, QuantizedForm form, bool clip, int threads, CodeScale[] scales)
    {
        var least = new float[weight.Columns];
        var greatest = new float[weight.Columns];
        for (int row = 0; row < weight.Rows; row++)
        {
            CheckFinite(weight.Row(row), row * weight.Columns, weight.Columns);
            TensorPrimitives.Min(weight.Row(row), least, least);
            TensorPrimitives.Max(weight.Row(row), greatest, greatest);
        }

        RowBlocks.ForEach(weight.Columns, ColumnStrip, threads, (_, start, count) =>
        {
            float[] columns = clip ? Turn(weight, start, count) : [];
            for (int i = 0; i < count; i++)
            {
                int column = start + i;
                scales[column] = clip
                    ? ClippedRange.Of(columns.AsSpan(i * weight.Rows, weight.Rows), least[column], greatest[column], form)
                    : CodeScale.Of(least[column], greatest[column], form.Symmetric, form.CodeBits);
            }
        });
    }

    /// <summary>Some columns, one behind the other.</summary>
    private static float[] Turn(Matrix weight, int start, int count)
    {
        float[] columns = new float[count * weight.Rows];
        for (int row = 0; row < weight.Rows; row++)
        {
            var strip = weight.Row(row).Slice(start, count);
            for (int i = 0; i < strip.Length; i++)
            {
                columns[(i * weight.Rows) + row] = strip[i];
            }
        }

        return columns;
    }

    private static CodeScale OfRun(ReadOnlySpan<float> run, int offset, int columns, QuantizedForm form, bool clip)
    {
        if (run.IsEmpty)
        {
            return CodeScale.Of(0, 0, form.Symmetric, form.CodeBits);
        }

        // Min and Max hand on NaN, so two numbers tell of the whole run.
        float least = TensorPrimitives.Min(run), greatest = TensorPrimitives.Max(run);
        if (!float.IsFinite(least) || !float.IsFinite(greatest))
        {
            CheckFinite(run, offset, columns);
        }

        return clip ? ClippedRange.Of(run, least, greatest, form) : CodeScale.Of(least, greatest, form.Symmetric, form.CodeBits);
    }

    private static void CheckFinite(ReadOnlySpan<float> run, int offset, int columns)
    {
        if (float.IsFinite(TensorPrimitives.SumOfMagnitudes(run)))
        {
            return;
        }

        for (int i = 0; i < run.Length; i++)
        {
            if (!float.IsFinite(run[i]))
            {
                throw new ArgumentException($"Entry ({(offset + i) / columns}, {(offset + i) % columns}) is {run[i]}; only finite weights can be quantized.", nameof(run));
            }
        }
    }
}
