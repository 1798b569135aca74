using System.Numerics.Tensors;
using Condense.Models;
using Condense.Pipeline.Stages;

namespace Condense.Pipeline.Reports;

/// <summary>Compares two models.</summary>
public static class ModelComparison
{
    /// <summary>
    /// Compares weights layer by layer, structures decoded, and every other tensor byte for byte. O(bytes) time beside the decoding; memory: two weights.
    /// </summary>
    /// <param name="left">The model that errors are relative to.</param>
    /// <param name="right">The other.</param>
    /// <param name="cancellationToken">Stops between layers.</param>
    /// <exception cref="ModelFormatException">Either can't be read.</exception>
    public static async Task<ComparisonReport> CompareAsync(ModelParts left, ModelParts right, CancellationToken cancellationToken)
    {
        using var leftModel = ModelReader.Open(left, ReadLimits.Default);
        using var rightModel = ModelReader.Open(right, ReadLimits.Default);
        var leftTable = new WeightTable(leftModel);
        var rightTable = new WeightTable(rightModel);

        var layers = new List<ComparedLayer>();
        double error = 0;
        double energy = 0;
        foreach (string name in leftTable.Names.Union(rightTable.Names, StringComparer.Ordinal))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var (layer, layerError, layerEnergy) = Compare(leftTable, rightTable, name);
            layers.Add(layer);
            error += layerError;
            energy += layerEnergy;
        }

        var (identical, different) = CompareOthers(leftModel, leftTable, rightModel, rightTable, cancellationToken);
        var leftFile = await DescribeAsync(leftModel, left, cancellationToken);
        var rightFile = await DescribeAsync(rightModel, right, cancellationToken);
        return new ComparisonReport
        {
            Left = leftFile,
            Right = rightFile,
            Ratio = (double)leftFile.Bytes / rightFile.Bytes,
            RelativeError = energy > 0 ? Math.Sqrt(error / energy) : error > 0 ? double.PositiveInfinity : 0,
            Layers = layers,
            IdenticalTensors = identical,
            DifferentTensors = different,
        };
    }

    private static (ComparedLayer Layer, double Error, double Energy) Compare(WeightTable left, WeightTable right, string name)
    {
        var leftShape = left.Shape(name);
        var rightShape = right.Shape(name);
        var layer = new ComparedLayer
        {
            Name = name,
            LeftShape = leftShape is { } l ? $"{l.Rows}×{l.Columns}" : null,
            RightShape = rightShape is { } r ? $"{r.Rows}×{r.Columns}" : null,
            LeftForm = left.Form(name),
            RightForm = right.Form(name),
            LeftBytes = left.Bytes(name),
            RightBytes = right.Bytes(name),
        };
        if (leftShape is null || leftShape != rightShape)
        {
            return (layer, 0, 0);
        }

        var leftWeight = left.ReadDense(name);
        var rightWeight = right.ReadDense(name);
        double error = 0;
        double energy = 0;
        float[] difference = new float[leftWeight.Columns];
        for (int row = 0; row < leftWeight.Rows; row++)
        {
            // Rows are short: f32 within one, f64 over all of them.
            TensorPrimitives.Subtract(leftWeight.Row(row), rightWeight.Row(row), difference);
            error += TensorPrimitives.SumOfSquares<float>(difference);
            energy += TensorPrimitives.SumOfSquares<float>(leftWeight.Row(row));
        }

        return (layer with { RelativeError = energy > 0 ? Math.Sqrt(error / energy) : error > 0 ? double.PositiveInfinity : 0 }, error, energy);
    }

    private static (int Identical, List<string> Different) CompareOthers(
        Model left, WeightTable leftTable, Model right, WeightTable rightTable, CancellationToken cancellationToken)
    {
        var leftDigests = DigestOthers(left, leftTable, cancellationToken);
        var rightDigests = DigestOthers(right, rightTable, cancellationToken);
        int identical = 0;
        var different = new List<string>();
        foreach (string name in leftDigests.Keys.Union(rightDigests.Keys, StringComparer.Ordinal))
        {
            if (leftDigests.TryGetValue(name, out string? l) && rightDigests.TryGetValue(name, out string? r) && string.Equals(l, r, StringComparison.Ordinal))
            {
                identical++;
            }
            else
            {
                different.Add(name);
            }
        }

        return (identical, different);
    }

    /// <summary>Digests of the tensors that are no layer's, by name; a name that several scopes use counts once per occurrence.</summary>
    private static Dictionary<string, string> DigestOthers(Model model, WeightTable table, CancellationToken cancellationToken)
    {
        var weights = table.Names.Select(table.Tensor).Where(tensor => tensor is not null).ToHashSet(ReferenceEqualityComparer.Instance);
        var digests = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var tensor in model.Tensors.Where(tensor => !weights.Contains(tensor) && !table.StructureTensorNames.Contains(tensor.Name)))
        {
            string name = tensor.Name;
            for (int repeat = 2; digests.ContainsKey(name); repeat++)
            {
                name = $"{tensor.Name} ({repeat})";
            }

            digests.Add(name, $"{tensor.DType} {tensor.Shape} {TensorDigest.Of(tensor.Data, cancellationToken)}");
        }

        return digests;
    }

    private static async Task<ComparedFile> DescribeAsync(Model model, ModelParts parts, CancellationToken cancellationToken) =>
        new(model.Format, await TensorDigest.OfFileAsync(parts.MainPath, cancellationToken), ModelBytes.Of(model, parts));
}
