using System.Diagnostics;
using System.Globalization;
using Condense.Models.Tests.Fuzzing;

namespace Condense.Campaigns;

/// <summary>Reads very many broken files of one format, and watches for an input that does not end.</summary>
/// <param name="format">The format.</param>
/// <param name="inputs">How many files.</param>
/// <param name="seed">Decides them.</param>
internal sealed class FuzzCampaign(FuzzFormat format, int inputs, int seed)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    /// <summary>Runs the campaign and prints one line of a Markdown table, and every failure.</summary>
    /// <param name="output">Where to.</param>
    /// <returns>Whether nothing went wrong.</returns>
    public async Task<bool> RunAsync(TextWriter output)
    {
        var folder = Directory.CreateTempSubdirectory("condense-fuzz-");
        try
        {
            var run = new FuzzRun(format, seed, folder.FullName);
            long start = Stopwatch.GetTimestamp();
            var reading = Task.Factory.StartNew(() => run.Run(inputs), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            bool ended = await WatchAsync(reading, run);
            var elapsed = Stopwatch.GetElapsedTime(start);
            foreach (string failure in run.Failures)
            {
                await output.WriteLineAsync(failure);
            }

            if (!ended)
            {
                await output.WriteLineAsync($"Input {run.Current} of {format.Name}, seed {seed}, did not end within {s_patience.TotalSeconds} s.");
            }

            await output.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"| {format.Name} | {inputs:N0} | {seed} | {run.Accepted:N0} | {run.Refused:N0} | {run.Crashes} | {(ended ? 0 : 1)} | {run.LargestAllocation:N0} | {run.LongestRead.TotalMilliseconds:F0} | {elapsed.TotalSeconds:F0} |"));
            return ended && run.Failures.Count == 0;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    // A reader that hangs can't be stopped; the process ends with the report.
    private static async Task<bool> WatchAsync(Task reading, FuzzRun run)
    {
        int last = -1;
        while (await Task.WhenAny(reading, Task.Delay(s_patience)) != reading)
        {
            if (run.Current == last && Stopwatch.GetElapsedTime(run.CurrentStart) > s_patience)
            {
                return false;
            }

            last = run.Current;
        }

        await reading;
        return true;
    }
}
