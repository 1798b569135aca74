using System.Globalization;
using Condense.Pipeline.Reports;
using Spectre.Console;

namespace Condense.Cli;

/// <summary>A report as tables on stdout.</summary>
internal static class ReportTable
{
    /// <summary>Prints it.</summary>
    public static void Write(CompressionReport report)
    {
        var layers = new Table().AddColumns("layer", "method", "bytes before", "bytes after", "relative error");
        foreach (var layer in report.Layers)
        {
            layers.AddRow(
                Markup.Escape(layer.Name),
                Markup.Escape(ReportMarkdown.Describe(layer)),
                Words.Number(layer.BytesBefore),
                Words.Number(layer.BytesAfter),
                layer.RelativeError.ToString("G4", CultureInfo.InvariantCulture));
        }

        AnsiConsole.Write(layers);
        var whole = new Table().AddColumns("", "before", "after", "ratio");
        whole.AddRow("bytes", Words.Number(report.BytesBefore), Words.Number(report.BytesAfter), Ratio(report.Ratio));
        whole.AddRow("parameters", Words.Number(report.ParametersBefore), Words.Number(report.ParametersAfter), Ratio(report.ParameterRatio));
        whole.AddRow("relative error", "", report.RelativeError.ToString("G4", CultureInfo.InvariantCulture), "");
        if (report.OutputDifference is { } difference)
        {
            whole.AddRow("output difference, optimisation off", "", difference.RelativeUnoptimised.ToString("G4", CultureInfo.InvariantCulture), "");
            whole.AddRow("output difference, default", "", difference.RelativeDefault.ToString("G4", CultureInfo.InvariantCulture), "");
        }

        AnsiConsole.Write(whole);
        string outcome = report.Target is null ? "done as asked, no target" : $"outcome {Words.Camel(report.Outcome)}";
        Console.Out.WriteLine($"{outcome}, sha256 {report.DigestAfter}");
        foreach (var warning in report.Warnings)
        {
            string layer = warning.Layer is null ? "" : $" [{warning.Layer}]";
            Console.Out.WriteLine($"warning {warning.Code}: {warning.Detail}{layer}");
        }
    }

    private static string Ratio(double value) => value.ToString("F3", CultureInfo.InvariantCulture) + "×";
}
