using System.CommandLine;
using System.Text.Json;
using Condense.Pipeline.Recipes;
using Condense.Pipeline.Reports;
using Spectre.Console;

namespace Condense.Cli;

/// <summary><c>condense methods</c>.</summary>
internal static class MethodsCommand
{
    /// <summary>Builds it.</summary>
    public static Command Build()
    {
        var json = JsonOption.Build();
        var command = new Command("methods", "Lists the methods with their settings.") { json };
        command.SetAction(result => Run(result.GetValue(json)));
        return command;
    }

    private static int Run(bool json)
    {
        if (json)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(new { Methods = MethodCatalogue.All }, ReportJson.Indented));
            return ExitCode.Done;
        }

        var table = new Table().AddColumns("method", "what it does", "settings", "uses");
        foreach (var method in MethodCatalogue.All)
        {
            string settings = string.Join(", ", method.Settings["properties"]!.AsObject().Select(property => property.Key));
            table.AddRow(Markup.Escape(method.Name), Markup.Escape(method.Summary), Markup.Escape(settings), Markup.Escape(string.Join(", ", method.Uses)));
        }

        AnsiConsole.Write(table);
        return ExitCode.Done;
    }
}
