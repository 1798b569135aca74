using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Condense.Service.Hosting;
using Microsoft.Extensions.Options;

namespace Condense.Service.Isolation;

/// <summary>How a child is started: this very executable, with one argument, and of the environment nothing that could be a secret.</summary>
internal sealed class ChildProgram(IOptions<WorkerOptions> options)
{
    /// <summary>Of a child's memory limit, the part that its managed heap may take: it then fails with words instead of being killed.</summary>
    private const double ManagedShare = 0.9;

    /// <summary>What a program needs to run at all; and .NET's own settings, which decide the kernel width.</summary>
    private static readonly string[] s_kept = ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH"];

    private const string RuntimePrefix = "DOTNET_";

    private const string Dotnet = "dotnet";

    /// <summary>What a program's file is called beyond its name.</summary>
    private static readonly string s_suffix = OperatingSystem.IsWindows() ? ".exe" : "";

    /// <summary>Starts a child.</summary>
    public Process Start()
    {
        var start = new ProcessStartInfo
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        string program = options.Value.ChildProgram ?? typeof(ChildProgram).Assembly.Location;
        string own = Environment.ProcessPath ?? "";
        if (program.Length == 0 || string.Equals(Path.GetFileName(own), Path.GetFileNameWithoutExtension(program) + s_suffix, StringComparison.Ordinal))
        {
            // Its own launcher, or a single file.
            start.FileName = own;
        }
        else
        {
            start.FileName = Muxer(own);
            start.ArgumentList.Add(program);
        }

        start.ArgumentList.Add(AttemptProgram.Word);
        SetEnvironment(start.Environment);
        return Process.Start(start) ?? throw new InvalidOperationException($"{start.FileName} was not started.");
    }

    /// <summary>The <c>dotnet</c> of the runtime that runs now, whatever the path holds.</summary>
    private static string Muxer(string own)
    {
        if (string.Equals(Path.GetFileName(own), Dotnet + s_suffix, StringComparison.Ordinal))
        {
            return own;
        }

        // …/dotnet/shared/Microsoft.NETCore.App/10.0.0/
        string root = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
        string muxer = Path.Combine(root, Dotnet + s_suffix);
        return File.Exists(muxer) ? muxer : Dotnet;
    }

    private void SetEnvironment(IDictionary<string, string?> environment)
    {
        foreach (string name in environment.Keys.ToArray())
        {
            if (!s_kept.Contains(name, StringComparer.Ordinal) && !name.StartsWith(RuntimePrefix, StringComparison.Ordinal))
            {
                environment.Remove(name);
            }
        }

        // One heap, collected in the working thread: a child has one task and a small budget. .NET reads the limit as hexadecimal.
        environment["DOTNET_gcServer"] = "0";
        environment["DOTNET_gcConcurrent"] = "0";
        environment["DOTNET_GCHeapHardLimit"] = ((long)(options.Value.JobMemory() * ManagedShare)).ToString("X", CultureInfo.InvariantCulture);
        environment["DOTNET_EnableDiagnostics"] = "0";

        // Instrumented code costs a small job a third of its time, and a long one gains nothing: its time goes by in kernels that have no calls to guess.
        environment["DOTNET_TieredPGO"] = "0";
    }
}
