using System.CommandLine;
using System.Text.Json;
using Condense.Models;
using Condense.Pipeline.Recipes;
using Condense.Pipeline.Reports;
using Condense.Pipeline.Reports.Html;
using Condense.Pipeline.Stages;

namespace Condense.Cli;

/// <summary><c>condense compress</c>.</summary>
internal static class CompressCommand
{
    private static readonly Argument<string> s_model = ModelArgument.Build("MODEL", "The model file.");

    private static readonly Option<string> s_output = new("--output", "-o") { Description = "The file to make; it appears only when it is whole.", Required = true };

    private static readonly Option<double?> s_ratio = new("--ratio") { Description = "Target: file bytes before ÷ after, at least this." };

    private static readonly Option<long?> s_bytes = new("--bytes") { Description = "Target: file bytes after, at most this." };

    private static readonly Option<double?> s_parameterRatio = new("--parameter-ratio") { Description = "Target: numbers before ÷ after, at least this." };

    private static readonly Option<double?> s_bits = new("--bits") { Description = "Target: stored bits per weight, at most this." };

    private static readonly Option<string[]> s_methods = new("--method") { Description = "A method that the planner may use; repeat for more. Default: all." };

    private static readonly Option<string[]> s_layers = new("--layer") { Description = "GLOB=METHOD[:SETTINGS-JSON] fixes a layer's method; repeat for more." };

    private static readonly Option<string[]> s_keep = new("--keep") { Description = "GLOB of layers that stay as they are; repeat for more." };

    private static readonly Option<string?> s_frequencies = new("--frequencies") { Description = "Token counts in row order: JSON, or two columns; with --vocabulary in any order, or a text to be counted." };

    private static readonly Option<string?> s_vocabulary = new("--vocabulary") { Description = "One token a line, or JSON with \"vocab\", in row order; for a text to be counted." };

    private static readonly Option<double?> s_exponent = new("--exponent") { Description = "α of the row weights (count + 1)^α, 0 … 1; default 0.75." };

    private static readonly Option<ModelFormat?> s_format = new("--format") { Description = "The result's format: onnx, safetensors or npz. Default: by OUT's extension, else the model's own or safetensors." };

    private static readonly Option<int?> s_opset = new("--opset") { Description = "For ONNX: convert the operators to this opset, at most 25. Default: the model's." };

    private static readonly Option<ulong> s_seed = new("--seed") { Description = "Seed of everything that draws numbers.", DefaultValueFactory = _ => 0 };

    private static readonly Option<int> s_threads = new("--threads") { Description = "Threads; the result does not depend on it.", DefaultValueFactory = _ => Environment.ProcessorCount };

    private static readonly Option<string[]> s_reports = new("--report") { Description = "Write the report to FILE.json, FILE.md or FILE.html; repeat for more." };

    private static readonly Option<bool> s_json = JsonOption.Build();

    /// <summary>Builds it.</summary>
    public static Command Build()
    {
        var command = new Command("compress", "Makes a model smaller and measures what that cost.")
        {
            s_model, s_output, s_ratio, s_bytes, s_parameterRatio, s_bits, s_methods, s_layers, s_keep, s_frequencies, s_vocabulary, s_exponent, s_format, s_opset, s_seed, s_threads, s_reports, s_json,
        };
        s_format.AcceptOnlyFromAmong("onnx", "safetensors", "npz");
        command.SetAction((result, cancellationToken) => Failure.GuardAsync(() => RunAsync(result, cancellationToken)));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult result, CancellationToken cancellationToken)
    {
        var usage = new UsageProblems();
        var target = usage.Read(() => ReadTarget(result));
        string[] reports = usage.Read(() => ReadReports(result)) ?? [];
        int threads = usage.Read(() => ReadThreads(result));
        LayerRule?[] rules = [.. (result.GetValue(s_layers) ?? []).Select(text => usage.Read(() => LayerRuleText.Parse(text)))];
        string output = usage.Read(() => ReadOutput(result)) ?? "";
        usage.ThrowIfAny();
        var input = ModelArgument.Open(result.GetRequiredValue(s_model));
        var recipe = new CompressionRecipe
        {
            Target = target,
            Methods = result.GetValue(s_methods) ?? [],
            Layers = rules!,
            Keep = result.GetValue(s_keep) ?? [],
            Frequencies = await FrequencyOptions.ReadAsync(result.GetValue(s_frequencies), result.GetValue(s_vocabulary), result.GetValue(s_exponent), cancellationToken),
            Opset = result.GetValue(s_opset),
            Seed = result.GetValue(s_seed),
        };

        string work = Path.Combine(Path.GetDirectoryName(output)!, $".{Path.GetFileName(output)}.condense-work");
        try
        {
            var environment = new RunEnvironment
            {
                WorkDirectory = work,
                Threads = threads,
                OnnxRuntimeLibrary = Environment.GetEnvironmentVariable("CONDENSE_ONNXRUNTIME_LIBRARY"),
            };
            var report = await ProgressBar.ShowAsync(
                progress => CompressionRun.RunAsync(input, output, OutputFormat(result.GetValue(s_format), input, output), recipe, environment, progress, cancellationToken));
            foreach (string path in reports)
            {
                await File.WriteAllTextAsync(path, ReportAs(Path.GetExtension(path), report), cancellationToken);
            }

            if (result.GetValue(s_json))
            {
                Console.Out.WriteLine(JsonSerializer.Serialize(report, ReportJson.Indented));
            }
            else
            {
                ReportTable.Write(report);
            }

            return report is { Outcome: Outcome.NotWorthwhile, Target: not null } ? ExitCode.TargetMissed : ExitCode.Done;
        }
        finally
        {
            if (Directory.Exists(work))
            {
                Directory.Delete(work, recursive: true);
            }
        }
    }

    private static string ReportAs(string extension, CompressionReport report) => extension switch
    {
        ".json" => JsonSerializer.Serialize(report, ReportJson.Indented) + "\n",
        ".html" => ReportHtml.Write(report),
        _ => ReportMarkdown.Write(report),
    };

    private static string ReadOutput(ParseResult result)
    {
        string output = Path.GetFullPath(result.GetRequiredValue(s_output));
        if (Directory.Exists(output) || Path.EndsInDirectorySeparator(output))
        {
            throw new UsageException($"{output} is a folder: name the file to make in it with -o.");
        }

        return string.Equals(output, Path.GetFullPath(result.GetRequiredValue(s_model)), StringComparison.Ordinal)
            ? throw new UsageException("The result would replace the model: name another file with -o.")
            : output;
    }

    private static string[] ReadReports(ParseResult result)
    {
        string[] reports = result.GetValue(s_reports) ?? [];
        return Array.Find(reports, path => Path.GetExtension(path) is not (".json" or ".md" or ".html")) is { } wrong
            ? throw new UsageException($"A report is a .json, a .md or a .html file, not {wrong}.")
            : reports;
    }

    private static int ReadThreads(ParseResult result)
    {
        int threads = result.GetValue(s_threads);
        return threads is >= 1 and <= 1024 ? threads : throw new UsageException($"--threads is {threads}; it must be 1 … 1024.");
    }

    private static CompressionTarget? ReadTarget(ParseResult result)
    {
        var targets = new List<CompressionTarget>();
        Add(TargetKind.Ratio, result.GetValue(s_ratio));
        Add(TargetKind.Bytes, result.GetValue(s_bytes));
        Add(TargetKind.ParameterRatio, result.GetValue(s_parameterRatio));
        Add(TargetKind.BitsPerWeight, result.GetValue(s_bits));
        return targets.Count <= 1 ? targets.SingleOrDefault() : throw new UsageException("Give one target: --ratio, --bytes, --parameter-ratio or --bits.");

        void Add(TargetKind kind, double? value)
        {
            if (value is { } given)
            {
                targets.Add(new CompressionTarget(kind, given));
            }
        }
    }

    /// <summary>What is asked for, else what the output's name says, else what the model's format leads to.</summary>
    private static ModelFormat OutputFormat(ModelFormat? asked, ModelParts input, string output) => asked ?? Path.GetExtension(output).ToUpperInvariant() switch
    {
        ".ONNX" => ModelFormat.Onnx,
        ".SAFETENSORS" => ModelFormat.Safetensors,
        ".NPZ" => ModelFormat.Npz,
        ".NPY" => ModelFormat.Npy,
        ".PT" or ".PTH" => ModelFormat.PyTorch,
        _ => OutputFormats.DefaultOf(ModelReader.Identify(input, ReadLimits.Default).Format),
    };
}
