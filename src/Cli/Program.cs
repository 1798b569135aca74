using System.CommandLine;
using Condense.Cli;
using Spectre.Console;

if (Console.IsOutputRedirected)
{
    // In a file or a pipe there is no edge to wrap at: a layer's name stays in one piece.
    AnsiConsole.Profile.Width = 240;
}

var root = new RootCommand("Condense makes machine-learning models smaller: model and target in, smaller model and proof out.")
{
    InspectCommand.Build(),
    CompressCommand.Build(),
    CompareCommand.Build(),
    MethodsCommand.Build(),
};
var parsed = root.Parse(args);
if (parsed.Errors.Count > 0)
{
    // The library's own answer to a bad command line is exit code 1, which is ours for our own faults.
    await parsed.InvokeAsync();
    return ExitCode.Usage;
}

// What no command expected is our fault: the library prints it whole and answers 1. A run stops within a layer, which may take a while.
return await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(60) });
