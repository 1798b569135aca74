using System.Runtime.InteropServices;
using Condense.Engine.Kernels;
using Condense.Engine.Matrices;

namespace Condense.Engine.Structures;

/// <summary>
/// Integer codes: an entry is <c>Scale·(code − ZeroPoint)</c>, computed in f32 as ONNX's DequantizeLinear does, with the scale of the entry's row,
/// column or group.
/// </summary>
public sealed class QuantizedMatrix : StructuredMatrix
{
    private readonly QuantizedForm _form;

    /// <summary>Puts codes and scales together. O(m·n); nothing is copied, and nothing may change afterwards.</summary>
    /// <param name="form">The shape.</param>
    /// <param name="codes">
    /// m·n codes of b = <see cref="QuantizedForm.CodeBits"/>, a byte each, row-major; two's complement when symmetric, <c>−(2^(b−1)−1) … 2^(b−1)−1</c>,
    /// else <c>0 … 2^b−1</c>.
    /// </param>
    /// <param name="scales">As many as <see cref="QuantizedForm.ScaleCount"/>, positive and finite.</param>
    /// <param name="zeroPoints">One for each scale, <c>0 … 2^b−1</c>; empty when symmetric.</param>
    /// <exception cref="ArgumentException">A length or a number breaks these laws.</exception>
    public QuantizedMatrix(QuantizedForm form, byte[] codes, float[] scales, byte[] zeroPoints)
    {
        ArgumentNullException.ThrowIfNull(form);
        ArgumentNullException.ThrowIfNull(codes);
        ArgumentNullException.ThrowIfNull(scales);
        ArgumentNullException.ThrowIfNull(zeroPoints);
        CheckLength(codes.Length, form.ParameterCount, $"{form.Rows}×{form.Columns} codes", nameof(codes));
        CheckLength(scales.Length, form.ScaleCount, $"{form.Granularity} scales", nameof(scales));
        CheckLength(zeroPoints.Length, form.Symmetric ? 0 : form.ScaleCount, form.Symmetric ? "zero points, being symmetric" : "zero points", nameof(zeroPoints));
        int wrong = Array.FindIndex(scales, scale => !(scale > 0) || !float.IsFinite(scale));
        if (wrong >= 0)
        {
            throw new ArgumentException($"Scale {wrong} is {scales[wrong]}; scales are positive and finite.", nameof(scales));
        }

        CheckRange(codes, form, "Code", form.Columns, nameof(codes));
        CheckRange(zeroPoints, form, "Zero point", 0, nameof(zeroPoints));

        _form = form;
        Codes = codes;
        Scales = scales;
        ZeroPoints = zeroPoints;
    }

    /// <inheritdoc/>
    public override StructureForm Form => _form;

    /// <summary>The codes, row-major; must not be changed.</summary>
    public byte[] Codes { get; }

    /// <summary>The scales, row-major where there are several in a row; must not be changed.</summary>
    public float[] Scales { get; }

    /// <summary>The zero points, one for each scale; empty when symmetric; must not be changed.</summary>
    public byte[] ZeroPoints { get; }

    /// <inheritdoc/>
    public override Matrix ToDense()
    {
        var dense = new Matrix(Rows, Columns);
        Decode(0, Rows, dense);
        return dense;
    }

    /// <inheritdoc/>
    /// <remarks>Decodes a block of rows at a time.</remarks>
    public override Matrix Multiply(Matrix x)
    {
        CheckMultiply(x);
        var product = new Matrix(Rows, x.Columns);
        foreach (var (start, block) in DecodedBlocks())
        {
            BlockedProduct.Compute(Operand.Of(block), Operand.Of(x), Operand.Of(product).RowRange(start, block.Rows), threads: 1);
        }

        return product;
    }

    /// <inheritdoc/>
    /// <remarks>Decodes a block of rows at a time.</remarks>
    public override Matrix MultiplyTransposed(Matrix x)
    {
        CheckMultiplyTransposed(x);
        var product = new Matrix(Columns, x.Columns);
        foreach (var (start, block) in DecodedBlocks())
        {
            BlockedProduct.Compute(
                Operand.Of(block).Transposed, Operand.Of(x).RowRange(start, block.Rows), Operand.Of(product), threads: 1, add: true);
        }

        return product;
    }

    /// <inheritdoc/>
    public override Matrix GatherRows(ReadOnlySpan<int> ids)
    {
        CheckRows(ids);
        var rows = new Matrix(ids.Length, Columns);
        for (int i = 0; i < ids.Length; i++)
        {
            DecodeRow(ids[i], rows.Row(i));
        }

        return rows;
    }

    private static void CheckLength(int length, long expected, string what, string parameter)
    {
        if (length != expected)
        {
            throw new ArgumentException($"There are {expected} {what}, not {length}.", parameter);
        }
    }

    private static void CheckRange(byte[] numbers, QuantizedForm form, string what, int columns, string parameter)
    {
        int least = form.Symmetric ? 1 - (1 << (form.CodeBits - 1)) : 0;
        int greatest = form.Symmetric ? -least : (1 << form.CodeBits) - 1;
        int wrong = form.Symmetric
            ? MemoryMarshal.Cast<byte, sbyte>(numbers).IndexOfAnyExceptInRange((sbyte)least, (sbyte)greatest)
            : numbers.AsSpan().IndexOfAnyExceptInRange((byte)least, (byte)greatest);
        if (wrong >= 0)
        {
            string place = columns > 0 ? $"({wrong / columns}, {wrong % columns})" : $"{wrong}";
            int value = form.Symmetric ? (sbyte)numbers[wrong] : numbers[wrong];
            throw new ArgumentException($"{what} {place} is {value}; with {form.CodeBits} bits {(form.Symmetric ? "symmetric " : "")}codes are {least} … {greatest}.", parameter);
        }
    }

    private IEnumerable<(int Start, Matrix Block)> DecodedBlocks()
    {
        for (int start = 0; start < Rows; start += RowBlocks.Streaming)
        {
            var block = new Matrix(Math.Min(RowBlocks.Streaming, Rows - start), Columns);
            Decode(start, block.Rows, block);
            yield return (start, block);
        }
    }

    private void Decode(int start, int rows, Matrix target)
    {
        for (int i = 0; i < rows; i++)
        {
            DecodeRow(start + i, target.Row(i));
        }
    }

    private void DecodeRow(int row, Span<float> values)
    {
        var codes = Codes.AsSpan(row * Columns, Columns);
        switch (_form.Granularity)
        {
            case QuantizationGranularity.PerColumn:
                QuantizedCodes.Decode(codes, _form.Symmetric, Scales, ZeroPoints, values);
                break;
            case QuantizationGranularity.PerGroup:
                int first = row * _form.GroupsPerRow;
                for (int group = 0; group < _form.GroupsPerRow; group++)
                {
                    int start = group * _form.GroupSize;
                    int length = Math.Min(_form.GroupSize, Columns - start);
                    QuantizedCodes.Decode(codes.Slice(start, length), _form.Symmetric, Scales[first + group], ZeroPoint(first + group), values.Slice(start, length));
                }

                break;
            default:
                int scale = _form.Granularity == QuantizationGranularity.PerRow ? row : 0;
                QuantizedCodes.Decode(codes, _form.Symmetric, Scales[scale], ZeroPoint(scale), values);
                break;
        }
    }

    private int ZeroPoint(int scale) => _form.Symmetric ? 0 : ZeroPoints[scale];
}
