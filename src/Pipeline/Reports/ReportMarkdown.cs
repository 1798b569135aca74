using System.Text;
using Condense.Engine.Structures;
using Condense.Pipeline.Recipes;

namespace Condense.Pipeline.Reports;

/// <summary>A report as Markdown, for people.</summary>
public static class ReportMarkdown
{
    /// <summary>Writes a report: the whole before and after, then every layer, then warnings. O(layers).</summary>
    /// <param name="report">The report.</param>
    public static string Write(CompressionReport report)
    {
        var text = new StringBuilder();
        text.AppendLine("# Compression report").AppendLine();
        text.AppendLine(Invariant($"Outcome: **{Sentence(report)}**")).AppendLine();
        text.AppendLine("| | before | after | ratio |").AppendLine("|---|---:|---:|---:|");
        text.AppendLine(Invariant($"| bytes | {report.BytesBefore:N0} | {report.BytesAfter:N0} | {report.Ratio:F2}× |"));
        text.AppendLine(Invariant($"| parameters of compressible weights | {report.ParametersBefore:N0} | {report.ParametersAfter:N0} | {report.ParameterRatio:F2}× |"));
        text.AppendLine(Invariant($"| multiply-adds per column | {report.MultiplyAddsBefore:N0} | {report.MultiplyAddsAfter:N0} | {Divide(report.MultiplyAddsBefore, report.MultiplyAddsAfter):F2}× |"));
        text.AppendLine(Invariant($"| bits per weight | | {report.BitsPerWeight:F2} | |"));
        text.AppendLine(Invariant($"| relative error | | {report.RelativeError:G4} | |"));
        if (report.OutputDifference is { } difference)
        {
            text.AppendLine(Invariant($"| output difference, optimisation off | | {difference.RelativeUnoptimised:G4} | |"));
            text.AppendLine(Invariant($"| output difference, default optimisation | | {difference.RelativeDefault:G4} | |"));
        }

        if (report.OpsetAfter != report.OpsetBefore)
        {
            text.AppendLine(Invariant($"| opset | {report.OpsetBefore} | {report.OpsetAfter} | |"));
        }

        text.AppendLine().AppendLine("## Layers").AppendLine();
        text.AppendLine("| layer | role | shape | method | bytes before | bytes after | relative error | weighted | bound |").AppendLine("|---|---|---|---|---:|---:|---:|---:|---:|");
        foreach (var layer in report.Layers)
        {
            text.AppendLine(Invariant($"| {Escape(ReportText.Short(layer.Name))} | {ReportText.Word(layer.Role)} | {layer.Rows}×{layer.Columns} | {Describe(layer)} | {layer.BytesBefore:N0} | {layer.BytesAfter:N0} | {layer.RelativeError:G4} | {layer.WeightedRelativeError:G4} | {layer.Bound:G4} |"));
        }

        var weighted = report.Layers.Where(layer => layer.HeadError is not null).ToArray();
        if (weighted.Length > 0)
        {
            text.AppendLine().AppendLine("## Frequent and rare rows").AppendLine();
            text.AppendLine("Relative errors of the heaviest 1 % of the rows, the next 9 %, and the others.").AppendLine();
            text.AppendLine("| layer | head | mid | tail |").AppendLine("|---|---:|---:|---:|");
            foreach (var layer in weighted)
            {
                text.AppendLine(Invariant($"| {Escape(ReportText.Short(layer.Name))} | {layer.HeadError:G4} | {layer.MidError:G4} | {layer.TailError:G4} |"));
            }
        }

        if (report.Warnings.Count > 0)
        {
            text.AppendLine().AppendLine("## Warnings").AppendLine();
            foreach (var warning in report.Warnings)
            {
                text.AppendLine(Invariant($"- `{warning.Code}`{(warning.Layer is null ? "" : $" ({Escape(ReportText.Short(warning.Layer))})")}: {Escape(warning.Detail)}"));
            }
        }

        text.AppendLine().AppendLine("## How it was made").AppendLine();
        text.AppendLine(Invariant($"- engine {report.Engine.Version}, {report.Engine.VectorBits}-bit vectors, {report.Engine.Threads} threads, seed {report.Seed}"));
        text.AppendLine(Invariant($"- original sha256 `{report.DigestBefore}`"));
        text.AppendLine(Invariant($"- result sha256 `{report.DigestAfter}`"));
        if (report.OutputDifference is { } run)
        {
            text.AppendLine(Invariant($"- outputs compared in {Escape(run.Runtime)}: {Escape(run.Inputs)}"));
        }

        text.AppendLine(Invariant($"- seconds: {string.Join(", ", report.SecondsByStage.Select(stage => Invariant($"{stage.Key} {stage.Value:F2}")))}"));
        return text.ToString();
    }

    /// <summary>A layer's method with its settings in words.</summary>
    /// <param name="layer">The layer.</param>
    public static string Describe(LayerReport layer) => layer.Form is null ? layer.Method : $"{layer.Method} ({Describe(layer.Form)})";

    private static string Describe(StructureForm form) => form switch
    {
        ProductForm product => Invariant($"rank {product.Rank}, factors {DescribeEntry(product.Left)}"),
        RowPartitionForm partition => string.Join(", ", partition.Blocks.Select(block => Invariant($"{block.Rows} rows {Describe(block)}"))) + (partition.Permuted ? ", reordered" : ""),
        _ => DescribeEntry(form),
    };

    private static string DescribeEntry(StructureForm form) => form switch
    {
        DenseForm dense => dense.Format.ToString().ToLowerInvariant(),
        QuantizedForm quantized => Invariant($"int{quantized.CodeBits} {Words(quantized)}{(quantized.Symmetric ? "" : " with zero points")}"),
        _ => form.GetType().Name,
    };

    private static string Words(QuantizedForm form) => form.Granularity switch
    {
        QuantizationGranularity.PerTensor => "per tensor",
        QuantizationGranularity.PerRow => "per row",
        QuantizationGranularity.PerColumn => "per column",
        _ => Invariant($"in groups of {form.GroupSize}"),
    };

    /// <summary>What became of the request, in a few words.</summary>
    internal static string Sentence(CompressionReport report) => report.Outcome switch
    {
        Outcome.NotWorthwhile => "not worthwhile, the original is kept",
        _ => report.Target is { } target ? Invariant($"target met ({Name(target.Kind)} {target.Value:G6})") : "done as asked, no target",
    };

    private static string Name(TargetKind kind) => kind switch
    {
        TargetKind.Ratio => "ratio",
        TargetKind.Bytes => "bytes",
        TargetKind.ParameterRatio => "parameter ratio",
        _ => "bits per weight",
    };

    /// <summary>Names come from files: nothing in them may end a table cell, a line or a code span, or start HTML.</summary>
    private static string Escape(string text)
    {
        var escaped = new StringBuilder(text.Length);
        ReportText.AppendVisible(escaped, text, character => character switch { '|' => "\\|", '<' => "&lt;", '>' => "&gt;", '&' => "&amp;", '`' => "\\`", _ => null });
        return escaped.ToString();
    }

    private static double Divide(long before, long after) => after == 0 ? 1 : (double)before / after;

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
