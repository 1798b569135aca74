using System.Globalization;
using Xunit;

namespace Condense.Service.Tests.Isolation;

/// <summary>The processes that jobs run in, as the system sees them.</summary>
internal static class TestChildren
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(90);

    /// <summary>The setting by which layers of certain names crash, allocate or hang.</summary>
    public static string Poisonous { get; } = $"--Worker:ChildProgram={Path.Combine(AppContext.BaseDirectory, "Condense.TestHost.dll")}";

    /// <summary>The children of a process.</summary>
    public static int[] Of(int parent) => [.. Directory.GetDirectories("/proc")
        .Select(path => int.TryParse(Path.GetFileName(path), NumberStyles.None, CultureInfo.InvariantCulture, out int id) ? id : 0)
        .Where(id => id > 0 && IsChild(id, parent))];

    /// <summary>Whether a process lives.</summary>
    public static bool Lives(int id) => Directory.Exists($"/proc/{id}") && !Read(id, "stat").Contains(") Z ", StringComparison.Ordinal);

    /// <summary>Asks until something is so.</summary>
    public static async Task UntilAsync(Func<bool> condition, string what)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < s_patience, what);
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }

    private static bool IsChild(int id, int parent)
    {
        string stat = Read(id, "stat");
        int name = stat.LastIndexOf(')');
        return name > 0
            && stat[(name + 2)..].Split(' ') is [_, var of, ..]
            && string.Equals(of, parent.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)
            && Read(id, "cmdline").Contains("\0attempt", StringComparison.Ordinal);
    }

    private static string Read(int id, string file)
    {
        try
        {
            return File.ReadAllText($"/proc/{id}/{file}");
        }
        catch (IOException)
        {
            return "";
        }
    }
}
