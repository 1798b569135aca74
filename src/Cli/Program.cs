using System.CommandLine;
using Condense.Cli;

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

return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = TimeSpan.FromSeconds(30) });
