using Condense.Engine.Matrices;
using Condense.Engine.Methods;
using Condense.Engine.Structures;

namespace Condense.Pipeline.Stages;

/// <summary>What each run of rows would lose in each format, so that every partition's loss is a sum.</summary>
internal sealed class RowChunks(Matrix weight, Importance importance, int threads)
{
    /// <summary>Runs that a weight's rows are cut into: a step is about a hundredth of what lies between two formats.</summary>
    private const int Count = 96;

    private readonly Dictionary<(string Kind, int From, int To), ErrorMeasure> _measured = [];

    /// <summary>Runs have one of two lengths or so: a copy of each is used again and again, instead of a large array per run and format.</summary>
    private readonly Dictionary<int, Matrix> _copies = [];

    /// <summary>Numbers of leading rows that the planner tries, ascending, each at least 1 and below the number of rows.</summary>
    public static IEnumerable<int> Boundaries(int rows) =>
        Enumerable.Range(1, Count - 1).Select(chunk => (int)((long)rows * chunk / Count)).Where(boundary => boundary >= 1).Distinct();

    /// <summary>The relative squared error of rows in these forms, one below the other, row-weighted where weights are known. Each run of rows is measured once per format.</summary>
    public double Predict(IReadOnlyList<StructureForm> blocks)
    {
        double error = 0;
        double norm = 0;
        int start = 0;
        foreach (var block in blocks)
        {
            int end = start + block.Rows;
            foreach (var (from, to) in Runs(start, end))
            {
                var measure = Measure(block, from, to);
                error += measure.WeightedSquaredError;
                norm += measure.WeightedSquaredNorm;
            }

            start = end;
        }

        return norm > 0 ? error / norm : error > 0 ? double.PositiveInfinity : 0;
    }

    /// <summary>A range of rows, cut at every boundary inside it.</summary>
    private IEnumerable<(int From, int To)> Runs(int start, int end)
    {
        int from = start;
        foreach (int boundary in Boundaries(weight.Rows).Where(boundary => boundary > start && boundary < end).Append(end))
        {
            yield return (from, boundary);
            from = boundary;
        }
    }

    private ErrorMeasure Measure(StructureForm block, int from, int to)
    {
        string kind = block switch
        {
            DenseForm dense => dense.Format.ToString(),
            QuantizedForm { Granularity: QuantizationGranularity.PerRow or QuantizationGranularity.PerGroup } quantized => $"{quantized.CodeBits} {quantized.Symmetric} {quantized.GroupSize}",
            _ => throw new ArgumentException($"The rows of {block} do not have errors of their own.", nameof(block)),
        };
        if (!_measured.TryGetValue((kind, from, to), out var measure))
        {
            var rows = Copy(from, to);
            var weights = importance.RowWeights is { } all ? new Importance { RowWeights = [.. all.Skip(from).Take(to - from)] } : importance;
            measure = block is QuantizedForm codes
                ? RoundToNearest.Predict(rows, weights, new QuantizedForm(rows.Rows, rows.Columns, codes.CodeBits, codes.Symmetric, codes.Granularity, codes.GroupSize), threads)
                : FloatConversion.Predict(rows, weights, ((DenseForm)block).Format, threads);
            _measured.Add((kind, from, to), measure);
        }

        return measure;
    }

    private Matrix Copy(int from, int to)
    {
        if (!_copies.TryGetValue(to - from, out var copy))
        {
            copy = new Matrix(to - from, weight.Columns);
            _copies.Add(to - from, copy);
        }

        weight.Values.AsSpan(from * weight.Columns, copy.Values.Length).CopyTo(copy.Values);
        return copy;
    }
}
