using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Condense.Pipeline.Reports;
using Spectre.Console;

namespace Condense.Cli;

/// <summary><c>condense inspect</c>.</summary>
internal static class InspectCommand
{
    /// <summary>Builds it.</summary>
    public static Command Build()
    {
        var model = ModelArgument.Build("MODEL", "The model file.");
        var json = JsonOption.Build();
        var command = new Command("inspect", "Says what a model is, and which layers can be compressed how.") { model, json };
        command.SetAction((result, cancellationToken) => Failure.GuardAsync(() => RunAsync(result.GetRequiredValue(model), result.GetValue(json), cancellationToken)));
        return command;
    }

    private static async Task<int> RunAsync(string path, bool json, CancellationToken cancellationToken)
    {
        var description = await ModelInspection.InspectAsync(ModelArgument.Open(path), cancellationToken);
        if (json)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(description, ReportJson.Indented));
            return Judge(description);
        }

        string opsets = string.Join(", ", description.Opsets.Select(opset => $"{(opset.Key.Length == 0 ? "ai.onnx" : opset.Key)} {opset.Value.ToString(CultureInfo.InvariantCulture)}"));
        var file = new Table().HideHeaders().AddColumns("", "");
        file.AddRow("format", Words.Camel(description.Format));
        file.AddRow("bytes", Words.Number(description.Bytes));
        file.AddRow("parameters", Words.Number(description.ParameterCount));
        file.AddRow("sha256", description.Sha256);
        if (opsets.Length > 0)
        {
            file.AddRow("operator sets", Markup.Escape(opsets));
            file.AddRow("inputs", Markup.Escape(string.Join(", ", description.Inputs.Select(Show))));
            file.AddRow("outputs", Markup.Escape(string.Join(", ", description.Outputs.Select(Show))));
        }

        AnsiConsole.Write(file);
        var layers = new Table().AddColumns("layer", "role", "shape", "dtype", "bytes", "norm", "methods");
        foreach (var layer in description.Layers)
        {
            layers.AddRow(
                Markup.Escape(layer.Name),
                Words.Camel(layer.Role),
                string.Join('×', layer.Shape),
                layer.DType.ToString(),
                Words.Number(layer.Bytes),
                layer.Norm.ToString("G5", CultureInfo.InvariantCulture),
                string.Join(", ", layer.Methods));
        }

        AnsiConsole.Write(layers);
        foreach (var finding in description.Findings)
        {
            string offset = finding.Offset is { } at ? string.Create(CultureInfo.InvariantCulture, $" [byte {at}]") : "";
            Console.Out.WriteLine($"finding {finding.Code}: {finding.Detail}{offset}");
        }

        return Judge(description);
    }

    /// <summary>A model that is described but can't be compressed is bad input all the same.</summary>
    private static int Judge(ModelDescription description)
    {
        if (!description.Rejected)
        {
            return ExitCode.Done;
        }

        Console.Error.WriteLine("condense: non_finite_weights: weights hold NaN or infinities, for which no method has an answer; the findings name each.");
        return ExitCode.BadInput;
    }

    private static string Show(ValueDescription value) => $"{value.Name} {value.DType?.ToString() ?? "?"}{(value.Shape is null ? "" : $"[{string.Join(',', value.Shape)}]")}";
}
