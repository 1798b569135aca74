using System.Collections.Immutable;
using Condense.Engine.Matrices;
using Condense.Engine.Structures;

namespace Condense.Execution.Tests.Rewriting;

/// <summary>Structures of random numbers, for a weight of any size.</summary>
internal static class StructureCases
{
    public static ImmutableSortedDictionary<string, Func<int, int, StructureForm>> All { get; } = Cases().Concat(Partitions()).ToImmutableSortedDictionary(
        pair => pair.Key, pair => pair.Value, StringComparer.Ordinal);

    /// <summary>A structure of a form, its numbers drawn from a seed.</summary>
    public static StructuredMatrix Random(StructureForm form, Random random)
    {
        switch (form)
        {
            case ProductForm product:
                return new ProductMatrix(Random(product.Left, random), Random(product.Right, random));
            case RowPartitionForm partition:
                StructuredMatrix[] blocks = [.. partition.Blocks.Select(block => Random(block, random))];
                int[] places = [.. Enumerable.Range(0, form.Rows)];
                random.Shuffle(places);
                return new RowPartitionMatrix(blocks, partition.Permuted ? places : null);
            case QuantizedForm quantized:
                byte[] codes = new byte[form.ParameterCount];
                int levels = 1 << quantized.CodeBits;
                for (int i = 0; i < codes.Length; i++)
                {
                    codes[i] = unchecked((byte)(quantized.Symmetric ? random.Next(1, levels) - (levels / 2) : random.Next(levels)));
                }

                byte[] zeros = new byte[quantized.Symmetric ? 0 : quantized.ScaleCount];
                for (int i = 0; i < zeros.Length; i++)
                {
                    zeros[i] = (byte)random.Next(levels);
                }

                float[] scales = [.. Enumerable.Range(0, (int)quantized.ScaleCount).Select(_ => (float)(random.NextDouble() + 0.1) / 100)];
                return new QuantizedMatrix(quantized, codes, scales, zeros);
            default:
                float[] values = [.. Enumerable.Range(0, form.Rows * form.Columns).Select(_ => (float)(random.NextDouble() - 0.5))];
                return new DenseMatrix(new Matrix(form.Rows, form.Columns, values), ((DenseForm)form).Format);
        }
    }

    private static IEnumerable<KeyValuePair<string, Func<int, int, StructureForm>>> Cases()
    {
        foreach (var format in Enum.GetValues<FloatFormat>())
        {
            yield return new($"{format}", (m, n) => new DenseForm(m, n, format));
        }

        foreach (bool symmetric in (bool[])[true, false])
        {
            string kind = symmetric ? "signed" : "unsigned";
            foreach (var granularity in (QuantizationGranularity[])[QuantizationGranularity.PerTensor, QuantizationGranularity.PerRow, QuantizationGranularity.PerColumn])
            {
                yield return new($"int8 {kind} {granularity}", (m, n) => new QuantizedForm(m, n, 8, symmetric, granularity));
            }

            foreach (int size in (int[])[4, 8])
            {
                yield return new($"int8 {kind} groups of {size}", (m, n) => new QuantizedForm(m, n, 8, symmetric, QuantizationGranularity.PerGroup, size));
            }

            yield return new($"int8 {kind} factors", (m, n) => new ProductForm(
                new QuantizedForm(m, 3, 8, symmetric, QuantizationGranularity.PerRow), new QuantizedForm(3, n, 8, symmetric, QuantizationGranularity.PerGroup, 8)));
        }

        foreach (bool symmetric in (bool[])[true, false])
        {
            string kind = symmetric ? "signed" : "unsigned";
            foreach (var granularity in (QuantizationGranularity[])[QuantizationGranularity.PerTensor, QuantizationGranularity.PerRow, QuantizationGranularity.PerColumn])
            {
                yield return new($"int4 {kind} {granularity}", (m, n) => new QuantizedForm(m, n, 4, symmetric, granularity));
            }

            yield return new($"int4 {kind} groups of 8", (m, n) => new QuantizedForm(m, n, 4, symmetric, QuantizationGranularity.PerGroup, 8));
            yield return new($"int4 {kind} factors", (m, n) => new ProductForm(
                new QuantizedForm(m, 4, 4, symmetric, QuantizationGranularity.PerColumn), new QuantizedForm(4, n, 4, symmetric, QuantizationGranularity.PerRow)));
            yield return new($"int2 {kind} groups of 8", (m, n) => new QuantizedForm(m, n, 2, symmetric, QuantizationGranularity.PerGroup, 8));
        }

        // As many codes as end within a byte.
        yield return new("int4 factors of rank 3", (m, n) => new ProductForm(
            new QuantizedForm(m, 3, 4, true, QuantizationGranularity.PerRow), new QuantizedForm(3, n, 4, false, QuantizationGranularity.PerGroup, 8)));
        yield return new("rows int4, int8, int2", (m, n) => new RowPartitionForm([
            new QuantizedForm(m / 3, n, 8, true, QuantizationGranularity.PerRow),
            new QuantizedForm(1, n, 4, false, QuantizationGranularity.PerRow),
            new QuantizedForm(m - (m / 3) - 1, n, 2, true, QuantizationGranularity.PerGroup, 8)]));
        foreach (int bits in (int[])[3, 5, 6])
        {
            yield return new($"int{bits} in bytes", (m, n) => new QuantizedForm(m, n, bits, bits == 5, QuantizationGranularity.PerRow, storedBits: 8));
            yield return new($"int{bits} packed", (m, n) => new QuantizedForm(m, n, bits, true, QuantizationGranularity.PerRow));
        }

        yield return new("factors", (m, n) => new ProductForm(new DenseForm(m, 3, FloatFormat.F32), new DenseForm(3, n, FloatFormat.F32)));
        yield return new("f16 factors", (m, n) => new ProductForm(new DenseForm(m, 3, FloatFormat.F16), new DenseForm(3, n, FloatFormat.F16)));
        yield return new("int8 column factors", (m, n) => new ProductForm(
            new QuantizedForm(m, 3, 8, true, QuantizationGranularity.PerColumn), new QuantizedForm(3, n, 8, false, QuantizationGranularity.PerTensor)));
    }

    private static IEnumerable<KeyValuePair<string, Func<int, int, StructureForm>>> Partitions()
    {
        yield return new("rows F16, int8", (m, n) => new RowPartitionForm([
            new DenseForm(m / 3, n, FloatFormat.F16), new QuantizedForm(m - (m / 3), n, 8, true, QuantizationGranularity.PerRow)]));
        yield return new("rows F32, F16", (m, n) => new RowPartitionForm([
            new DenseForm(m / 2, n, FloatFormat.F32), new DenseForm(m - (m / 2), n, FloatFormat.F16)]));
        yield return new("rows int8 columns, BF16, int8 groups, F32", (m, n) => new RowPartitionForm([
            new QuantizedForm(m / 3, n, 8, false, QuantizationGranularity.PerColumn),
            new DenseForm(m / 6, n, FloatFormat.BF16),
            new QuantizedForm(m / 3, n, 8, false, QuantizationGranularity.PerGroup, 8),
            new DenseForm(m - (2 * (m / 3)) - (m / 6), n, FloatFormat.F32)]));
        yield return new("rows in another order, F16, int8", (m, n) => new RowPartitionForm(
            [new DenseForm(m / 3, n, FloatFormat.F16), new QuantizedForm(m - (m / 3), n, 8, true, QuantizationGranularity.PerRow)], permuted: true));
        yield return new("rows of factors", (m, n) => new RowPartitionForm([Factors(m / 3, 3, n), Factors(m - (m / 3), 1, n)]));
        yield return new("rows in another order, F32, factors, int8 factors, int8", (m, n) => new RowPartitionForm(
            [
                new DenseForm(1, n, FloatFormat.F32),
                Factors(m / 3, 2, n),
                new ProductForm(
                    new QuantizedForm(m / 2, 3, 8, true, QuantizationGranularity.PerColumn), new QuantizedForm(3, n, 8, true, QuantizationGranularity.PerRow)),
                new QuantizedForm(m - 1 - (m / 3) - (m / 2), n, 8, true, QuantizationGranularity.PerRow),
            ],
            permuted: true));

        static ProductForm Factors(int rows, int rank, int columns) => new(new DenseForm(rows, rank, FloatFormat.F32), new DenseForm(rank, columns, FloatFormat.F32));
    }
}
