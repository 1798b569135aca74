using System.Diagnostics;
using System.Runtime.InteropServices;
using Condense.Pipeline.Reports;
using Condense.Pipeline.Stages;
using Condense.Service.Jobs;

namespace Condense.Service.Isolation;

/// <summary>
/// The child's side: reads tasks from standard input, one at a time, and says on standard output how they go. It ends with its input, so it never
/// outlives the service; signals to the whole process group are the service's to answer.
/// </summary>
internal sealed class AttemptProgram
{
    /// <summary>The first argument that makes the service's executable a child.</summary>
    public const string Word = "attempt";

    /// <summary>The kernel, short of memory, takes the children before the service.</summary>
    private const string FirstToGo = "500";

    private static readonly PosixSignal[] s_ofTheGroup = [PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGQUIT, PosixSignal.SIGHUP];

    private readonly ParentLink _parent;
    private readonly Action<StageProgress>? _watch;

    private AttemptProgram(ParentLink parent, Action<StageProgress>? watch)
    {
        _parent = parent;
        _watch = watch;
    }

    /// <summary>Runs until the input ends.</summary>
    /// <param name="watch">Called with every progress, on the thread that makes it; null outside tests.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(Action<StageProgress>? watch = null)
    {
        var signals = Array.ConvertAll(s_ofTheGroup, signal => PosixSignalRegistration.Create(signal, context => context.Cancel = true));
        await OfferToTheKernelAsync();

        // What libraries print must not come between the lines of the protocol.
        await using var output = Console.OpenStandardOutput();
        Console.SetOut(Console.Error);
        await using var link = new ParentLink(Console.OpenStandardInput(), output, EndNow);
        await new AttemptProgram(link, watch).ServeAsync();
        Array.ForEach(signals, signal => signal.Dispose());
        return 0;
    }

    /// <summary>Where the machine runs out of memory, the kernel shall take this process before the service.</summary>
    private static async Task OfferToTheKernelAsync()
    {
        if (OperatingSystem.IsLinux())
        {
            try
            {
                await File.WriteAllTextAsync("/proc/self/oom_score_adj", FirstToGo);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // A container may have set the process back further already, and only the privileged may go forward again: it goes first all the same.
            }
        }
    }

    /// <summary>The service is gone, and whatever runs here runs for nobody. Native code that hangs would not hear of anything gentler.</summary>
    private static void EndNow()
    {
        using var self = Process.GetCurrentProcess();
        self.Kill();
    }

    private async Task ServeAsync()
    {
        while (await _parent.NextTaskAsync() is { } task)
        {
            _parent.Send(await AnswerAsync(task));
        }
    }

    private async Task<ChildMessage> AnswerAsync(ChildTask task)
    {
        var cancel = _parent.Cancel;
        var drain = _parent.Drain;
        try
        {
            return await DoAsync(task, cancel, drain);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested || drain.IsCancellationRequested)
        {
            return new ChildMessage(ChildWord.Stopped);
        }
        catch (Exception exception)
        {
            return new ChildMessage(ChildWord.Failed) { Fault = ChildFault.Of(exception) };
        }
    }

    private async Task<ChildMessage> DoAsync(ChildTask task, CancellationToken cancel, CancellationToken drain)
    {
        switch (task)
        {
            case CompressTask compress:
                var report = await CompressionRun.RunAsync(
                    compress.Input, compress.Output, compress.OutputFormat, compress.Recipe, EnvironmentOf(compress, compress.OnnxRuntimeLibrary, drain), new Listener(_parent, _watch), cancel);
                var made = await ModelInspection.InspectAsync(ResultParts.Of(compress.Output), cancel);
                return new ChildMessage(ChildWord.Done) { Report = report, Description = made };
            case AssistTask assist:
                await CompressionRun.AssistAsync(assist.Input, assist.OutputFormat, assist.Recipe, EnvironmentOf(assist, runtime: null, drain), assist.Stage, cancel);
                return new ChildMessage(ChildWord.Done);
            case ExpandTask expand:
                await ModelExpansion.RunAsync(expand.Original, expand.Input, expand.Output, cancel);
                return new ChildMessage(ChildWord.Done);
            default:
                return new ChildMessage(ChildWord.Done) { Description = await ModelInspection.InspectAsync(task.Input, cancel) };
        }
    }

    private RunEnvironment EnvironmentOf(RecipeTask task, string? runtime, CancellationToken drain) => new()
    {
        WorkDirectory = task.WorkDirectory,
        Threads = task.Threads,
        Exchange = _parent,
        Drain = drain,
        OnnxRuntimeLibrary = runtime,
    };

    /// <summary>Hands progress on at once, on the thread that makes it.</summary>
    private sealed class Listener(ParentLink parent, Action<StageProgress>? watch) : IProgress<StageProgress>
    {
        public void Report(StageProgress value)
        {
            watch?.Invoke(value);
            parent.Tell(value);
        }
    }
}
