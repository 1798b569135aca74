using Condense.Pipeline.Stages;
using Spectre.Console;

namespace Condense.Cli;

/// <summary>A bar per stage with an estimate of the time left, on stderr and only on a terminal.</summary>
internal static class ProgressBar
{
    /// <summary>Runs work under a bar.</summary>
    public static async Task<T> ShowAsync<T>(Func<IProgress<StageProgress>?, Task<T>> work)
    {
        if (Console.IsErrorRedirected)
        {
            return await work(null);
        }

        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return await console.Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(context => work(new StageBars(context)));
    }

    /// <summary>Reports arrive in order on the run's own thread: <see cref="Progress{T}"/> would post them to the pool.</summary>
    private sealed class StageBars(ProgressContext context) : IProgress<StageProgress>
    {
        private readonly Dictionary<Stage, ProgressTask> _bars = [];

        public void Report(StageProgress value)
        {
            if (!_bars.TryGetValue(value.Stage, out var bar))
            {
                foreach (var earlier in _bars.Values)
                {
                    earlier.Value = earlier.MaxValue;
                }

                bar = context.AddTask(Words.Camel(value.Stage), maxValue: Math.Max(1, value.LayersTotal));
                _bars.Add(value.Stage, bar);
            }

            bar.Value = value.LayersDone;
        }
    }
}
