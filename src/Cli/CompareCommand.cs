using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Condense.Pipeline.Reports;
using Spectre.Console;

namespace Condense.Cli;

/// <summary><c>condense compare</c>.</summary>
internal static class CompareCommand
{
    /// <summary>Builds it.</summary>
    public static Command Build()
    {
        var left = ModelArgument.Build("LEFT", "The model that errors are relative to.");
        var right = ModelArgument.Build("RIGHT", "The other model.");
        var json = JsonOption.Build();
        var command = new Command("compare", "Compares two models layer by layer; compressed layers are decoded.") { left, right, json };
        command.SetAction((result, cancellationToken) => Failure.GuardAsync(() =>
            RunAsync(result.GetRequiredValue(left), result.GetRequiredValue(right), result.GetValue(json), cancellationToken)));
        return command;
    }

    private static async Task<int> RunAsync(string left, string right, bool json, CancellationToken cancellationToken)
    {
        var report = await ModelComparison.CompareAsync(ModelArgument.Open(left), ModelArgument.Open(right), cancellationToken);
        if (json)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(report, ReportJson.Indented));
            return ExitCode.Done;
        }

        var table = new Table().AddColumns("layer", "left", "right", "left bytes", "right bytes", "relative error");
        foreach (var layer in report.Layers)
        {
            table.AddRow(
                Markup.Escape(layer.Name),
                layer.LeftShape ?? "–",
                layer.RightShape ?? "–",
                Words.Number(layer.LeftBytes),
                Words.Number(layer.RightBytes),
                layer.RelativeError?.ToString("G4", CultureInfo.InvariantCulture) ?? "–");
        }

        table.AddRow("whole file", "", "", Words.Number(report.Left.Bytes), Words.Number(report.Right.Bytes), report.RelativeError.ToString("G4", CultureInfo.InvariantCulture));
        AnsiConsole.Write(table);
        Console.Out.WriteLine(FormattableString.Invariant($"ratio {report.Ratio:F3}, {report.IdenticalTensors} other tensors identical, {report.DifferentTensors.Count} different"));
        foreach (string name in report.DifferentTensors)
        {
            Console.Out.WriteLine($"  different: {name}");
        }

        return ExitCode.Done;
    }
}
