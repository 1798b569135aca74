using Condense.Engine.Structures;
using Condense.Models;
using Condense.Models.Graph;
using Condense.Pipeline.Recipes;
using Condense.Pipeline.Reports;

namespace Condense.Pipeline.Tests.Reports;

/// <summary>Reports made in code.</summary>
internal static class SampleReports
{
    /// <summary>A report of layers; the file is 1,000 bytes more than they are.</summary>
    public static CompressionReport Of(params IReadOnlyList<LayerReport> layers)
    {
        long before = layers.Sum(layer => layer.BytesBefore) + 1000;
        long after = layers.Sum(layer => layer.BytesAfter) + 1000;
        return new CompressionReport
        {
            Outcome = Outcome.MetTarget,
            FormatBefore = ModelFormat.Onnx,
            Format = ModelFormat.Onnx,
            Target = new CompressionTarget(TargetKind.Ratio, 2),
            Seed = 0,
            BytesBefore = before,
            BytesAfter = after,
            Ratio = (double)before / after,
            ParametersBefore = before / 4,
            ParametersAfter = after / 4,
            ParameterRatio = (double)before / after,
            BitsPerWeight = 8.5,
            MultiplyAddsBefore = before / 4,
            MultiplyAddsAfter = after / 4,
            RelativeError = 0.0123,
            DigestBefore = new string('a', 64),
            DigestAfter = new string('b', 64),
            Layers = layers,
            OutputDifference = new OutputDifference("seed 0", "ONNX Runtime 1.0", 0.00321, 0.00456),
            Warnings = [],
            SecondsByStage = new Dictionary<string, double>(StringComparer.Ordinal) { ["loading"] = 0.5, ["analysing"] = 2 },
            ReusedLayers = 0,
            Engine = new EngineDescription("0.1.0", 256, 2),
        };
    }

    /// <summary>A factorized layer with a spectrum that halves from rank to rank.</summary>
    public static LayerReport Product(string name, int rows = 64, int columns = 48, int rank = 8, double error = 0.1) => new()
    {
        Name = name,
        Role = WeightRole.Linear,
        Rows = rows,
        Columns = columns,
        Method = MethodNames.LowRank,
        Form = new ProductForm(new DenseForm(rows, rank, FloatFormat.F32), new DenseForm(rank, columns, FloatFormat.F32)),
        BytesBefore = 4L * rows * columns,
        BytesAfter = 4L * rank * (rows + columns),
        RelativeError = error,
        WeightedRelativeError = error / 2,
        Bound = error / 3,
        Spectrum = LayerSpectrum.Of([.. Enumerable.Range(0, columns).Select(j => Math.Pow(0.5, j + 1))], 1, rank),
    };

    /// <summary>A layer that was left alone.</summary>
    public static LayerReport Kept(string name, long bytes = 4096) => new()
    {
        Name = name,
        Role = WeightRole.Other,
        Rows = 32,
        Columns = 32,
        Method = MethodNames.Keep,
        BytesBefore = bytes,
        BytesAfter = bytes,
        RelativeError = 0,
    };
}
