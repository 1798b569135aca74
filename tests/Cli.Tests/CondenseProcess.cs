using System.Diagnostics;

namespace Condense.Cli.Tests;

/// <summary>The command line as a user runs it: a process of its own.</summary>
internal sealed record CondenseProcess(int ExitCode, string Output, string Error)
{
    private static readonly string s_assembly = Path.Combine(AppContext.BaseDirectory, "Condense.Cli.dll");

    public static async Task<CondenseProcess> RunAsync(params string[] arguments)
    {
        using var process = Start(arguments);
        var output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        var error = process.StandardError.ReadToEndAsync(CancellationToken.None);
        await process.WaitForExitAsync(CancellationToken.None);
        return new CondenseProcess(process.ExitCode, await output, await error);
    }

    public static Process Start(params string[] arguments) =>
        Process.Start(new ProcessStartInfo("dotnet", [s_assembly, .. arguments]) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true })!;
}
