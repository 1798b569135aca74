using System.Diagnostics;
using System.Globalization;

namespace Condense.Service.Isolation;

/// <summary>Keeps an eye on a child's memory: what is its own alone, so that mapped model files do not count.</summary>
internal sealed class ChildMemory(Process process)
{
    /// <summary>What lies in memory, and what the system has put on disk meanwhile. Shared memory is left out: a model on a file system in memory is some.</summary>
    private static readonly string[] s_own = ["RssAnon:", "VmSwap:"];

    private long _peak;

    /// <summary>The most that was seen since the last <see cref="Reset"/>.</summary>
    public long PeakBytes => Interlocked.Read(ref _peak);

    /// <summary>Forgets the peak.</summary>
    public void Reset() => Interlocked.Exchange(ref _peak, 0);

    /// <summary>Looks now. 0 when the process has ended.</summary>
    public long Look()
    {
        long now = OperatingSystem.IsLinux() ? OfLinux() : OfOthers();
        if (now > PeakBytes)
        {
            Interlocked.Exchange(ref _peak, now);
        }

        return now;
    }

    private long OfLinux()
    {
        try
        {
            return OwnBytes(File.ReadLines($"/proc/{process.Id}/status"));
        }
        catch (IOException)
        {
            // It has ended between two lines.
            return 0;
        }
    }

    /// <summary>Adds up what is the process's own, of the lines that Linux describes it by.</summary>
    public static long OwnBytes(IEnumerable<string> status) =>
        status.Where(line => s_own.Any(name => line.StartsWith(name, StringComparison.Ordinal))).Sum(line => long.Parse(line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture)) * 1024;

    private long OfOthers()
    {
        try
        {
            process.Refresh();
            return process.PrivateMemorySize64;
        }
        catch (InvalidOperationException)
        {
            return 0;
        }
    }
}
