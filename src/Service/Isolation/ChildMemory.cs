using System.Diagnostics;
using System.Globalization;

namespace Condense.Service.Isolation;

/// <summary>Keeps an eye on a child's memory: what is its own alone, so that mapped model files do not count.</summary>
internal sealed class ChildMemory(Process process)
{
    private const string Own = "RssAnon:";

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
            foreach (string line in File.ReadLines($"/proc/{process.Id}/status"))
            {
                if (line.StartsWith(Own, StringComparison.Ordinal))
                {
                    return long.Parse(line.AsSpan(Own.Length, line.Length - Own.Length - "kB".Length), NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture) * 1024;
                }
            }
        }
        catch (IOException)
        {
            // It has ended between two lines.
        }

        return 0;
    }

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
