using System.Diagnostics;
using System.Runtime.InteropServices;
using Condense.Pipeline.Stages;

namespace Condense.TestHost;

/// <summary>What a bad method or a bad library could do to the process that it runs in: chosen by the names of layers.</summary>
internal static class Poison
{
    private const int Block = 1 << 20;

    private const int Page = 1 << 12;

    private static readonly TimeSpan s_slow = TimeSpan.FromMilliseconds(250);

    /// <summary>Called on the thread of the run whenever a layer is finished.</summary>
    public static void Take(StageProgress progress)
    {
        if (progress.Message.Contains("poison.crash", StringComparison.Ordinal))
        {
            Environment.FailFast("A method has crashed, as the test wanted it.");
        }
        else if (progress.Message.Contains("poison.cut", StringComparison.Ordinal))
        {
            DieInTheMiddleOfALine();
        }
        else if (progress.Message.Contains("poison.slow", StringComparison.Ordinal))
        {
            Task.Delay(s_slow, TimeProvider.System).GetAwaiter().GetResult();
        }
        else if (progress.Message.Contains("poison.native", StringComparison.Ordinal))
        {
            AllocateNative();
        }
        else if (progress.Message.Contains("poison.managed", StringComparison.Ordinal))
        {
            AllocateManaged();
        }
        else if (progress.Message.Contains("poison.hang", StringComparison.Ordinal))
        {
            using var never = new ManualResetEventSlim();
            never.Wait();
        }
    }

    private static void DieInTheMiddleOfALine()
    {
        using var output = Console.OpenStandardOutput();
        output.Write("{\"word\":\"prog"u8);
        output.Flush();
        using var self = Process.GetCurrentProcess();
        self.Kill();
        self.WaitForExit();
    }

    /// <summary>As a native library would: nothing of .NET's knows of it.</summary>
    private static void AllocateNative()
    {
        while (true)
        {
            nint block = Marshal.AllocHGlobal(Block);
            for (int page = 0; page < Block; page += Page)
            {
                Marshal.WriteByte(block, page, 1);
            }
        }
    }

    private static void AllocateManaged()
    {
        var kept = new List<byte[]>();
        while (true)
        {
            byte[] block = new byte[Block];
            Array.Fill<byte>(block, 1);
            kept.Add(block);
        }
    }
}
