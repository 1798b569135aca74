using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Condense.Execution.OnnxRuntime;
using Condense.Models;
using Condense.Models.Graph;
using Condense.Pipeline.Recipes;
using Condense.Pipeline.Reports;
using Condense.Pipeline.Stages;

namespace Condense.Studies;

/// <summary>
/// Models that people use, each at several ratios: bytes, errors, outputs and latency in ONNX Runtime. An infeasible ratio is run again at the nearest that
/// the refusal offers. Results and reports stay in the folder that <c>CONDENSE_STUDY_OUTPUT</c> names, for an independent check.
/// </summary>
internal static class RealModelsStudy
{
    private const int Batch = 20;

    /// <summary>The latency of a pair is the median of so many interleaved runs, fewer where a run takes long.</summary>
    private const int MaxRuns = 41;

    private const int MinRuns = 3;

    private static readonly TimeSpan s_enough = TimeSpan.FromSeconds(4);

    /// <summary>Path below the data folder, ratios, and the side that open dimensions beside the batch are given.</summary>
    private static readonly (string Name, string Path, double[] Ratios, long Side)[] s_models =
    [
        ("PP-OCRv4 recognizer", "models/ppocr/ch_PP-OCRv4_rec_infer.onnx", [2, 3.5, 6], 320),
        ("PP-OCRv4 detector", "models/ppocr/ch_PP-OCRv4_det_infer.onnx", [2, 3.5, 6], 320),
        ("PP-OCR classifier", "models/ppocr/ch_ppocr_mobile_v2.0_cls_infer.onnx", [2, 2.8], 192),
        ("GTCRN", "models/gtcrn/gtcrn_simple.onnx", [2], 1),
        ("g2p_en", "models/g2p_en/checkpoint20.npz", [2, 4, 8], 0),
        ("tinystoriesgru", "models/tinystoriesgru/tinystoriesgru-0.2M.pt", [2, 4, 8], 0),
        ("RETSim", "models/retsim/model.safetensors", [2, 3.5, 6], 0),
        ("PTB LSTM 2×200", "models/ptb-lstm-2x200/model.safetensors", [4, 10], 0),
        ("GloVe 40,000×100", "embeddings/glove.6B.100d/vectors.top40000.npy", [2, 4, 8], 0),
    ];

    /// <summary>Measures and prints the table.</summary>
    public static async Task RunAsync(string data, TextWriter output)
    {
        string? kept = Environment.GetEnvironmentVariable("CONDENSE_STUDY_OUTPUT");
        string folder = kept ?? Directory.CreateTempSubdirectory("condense-study-").FullName;
        string? runtime = Environment.GetEnvironmentVariable("CONDENSE_ONNXRUNTIME_LIBRARY");
        var library = runtime is null ? null : OnnxRuntimeLibrary.Load(runtime);
        try
        {
            await output.WriteLineAsync("| model | bytes | asked | bytes after | ratio | target used | relative error | outputs, optimisation off | outputs, default | latency × 1 | latency × 20 |");
            await output.WriteLineAsync("|---|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|");
            foreach (var (name, path, ratios, side) in s_models)
            {
                foreach (double ratio in ratios)
                {
                    await output.WriteLineAsync(await MeasureAsync(name, Path.Combine(data, path), ratio, side, folder, library, runtime));
                }
            }

            await output.WriteLineAsync();
            await output.WriteLineAsync(Text($"ONNX Runtime {library?.Version ?? "absent"}, one thread; latency is that of the result ÷ that of the original, medians of up to {MaxRuns} interleaved runs at the default optimisation level."));
        }
        finally
        {
            if (kept is null)
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    private static async Task<string> MeasureAsync(string name, string path, double ratio, long side, string folder, OnnxRuntimeLibrary? library, string? runtime)
    {
        var format = OutputFormats.DefaultOf(ModelReader.Identify(ModelParts.Beside(path), ReadLimits.Default).Format);
        string stem = Path.Combine(folder, Text($"{Path.GetFileNameWithoutExtension(path)}-{ratio}"));
        string result = $"{stem}.{OutputFormats.NameOf(format)}";
        string asked = Text($"{ratio}×");
        CompressionReport report;
        try
        {
            report = await CompressAsync(path, result, format, ratio, runtime);
        }
        catch (RecipeException exception) when (exception.Nearest is { } nearest)
        {
            asked = Text($"{ratio}×: `{exception.Code}`, nearest {nearest.Value}×");
            ratio = nearest.Value;
            report = await CompressAsync(path, result, format, ratio, runtime);
        }

        await File.WriteAllTextAsync($"{stem}.json", JsonSerializer.Serialize(report, ReportJson.Indented));
        double used = report.BytesAfter / (report.BytesBefore / ratio);
        string verdict = used > 1 ? " **over**" : used < 0.99 ? " **below 99 %**" : "";
        string outputs = report.OutputDifference is { } difference ? Text($"{difference.RelativeUnoptimised:G3} | {difference.RelativeDefault:G3}") : "– | –";
        string latency = library is null || format != ModelFormat.Onnx ? "– | –" : $"{Latency(library, path, result, 1, side)} | {Latency(library, path, result, Batch, side)}";
        return Text($"| {name} | {report.BytesBefore:N0} | {asked} | {report.BytesAfter:N0} | {report.Ratio:F4} | {used:P2}{verdict} | {report.RelativeError:G3} | {outputs} | {latency} |");
    }

    private static async Task<CompressionReport> CompressAsync(string path, string result, ModelFormat format, double ratio, string? runtime)
    {
        string work = result + ".work";
        var environment = new RunEnvironment { WorkDirectory = work, Threads = Environment.ProcessorCount, OnnxRuntimeLibrary = runtime };
        try
        {
            var recipe = new CompressionRecipe { Target = new CompressionTarget(TargetKind.Ratio, ratio) };
            return await CompressionRun.RunAsync(ModelParts.Beside(path), result, format, recipe, environment, progress: null, CancellationToken.None);
        }
        finally
        {
            if (Directory.Exists(work))
            {
                Directory.Delete(work, recursive: true);
            }
        }
    }

    /// <summary>Median time of the result ÷ median time of the original, run by turns so that whatever slows the machine slows both.</summary>
    private static string Latency(OnnxRuntimeLibrary library, string original, string result, long batch, long side)
    {
        using var before = new OnnxRuntimeSession(library, original, OptimisationLevel.Default, threads: 1);
        using var after = new OnnxRuntimeSession(library, result, OptimisationLevel.Default, threads: 1);
        if (batch > 1 && before.Inputs.All(input => input.Shape is [{ Value: not null }, ..]))
        {
            return "fixed batch";
        }

        var shapes = before.Inputs.Select(input => input with { Shape = [.. input.Shape.Select((dimension, axis) => new Dimension(dimension.Value ?? (axis == 0 ? batch : side), ""))] });
        var inputs = new RandomInputs(0, new Dictionary<string, long>(StringComparer.Ordinal)).Create([.. shapes], batch, side);
        Time(before, inputs);
        Time(after, inputs);
        var slow = new List<double>();
        var fast = new List<double>();
        long start = Stopwatch.GetTimestamp();
        for (int run = 0; run < MaxRuns && (run < MinRuns || Stopwatch.GetElapsedTime(start) < s_enough); run++)
        {
            slow.Add(Time(before, inputs));
            fast.Add(Time(after, inputs));
        }

        return Text($"{Median(fast) / Median(slow):F2} ({Median(slow) * 1000:F1} ms)");
    }

    private static double Time(OnnxRuntimeSession session, IReadOnlyDictionary<string, RuntimeTensor> inputs)
    {
        long start = Stopwatch.GetTimestamp();
        session.Run(inputs);
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
