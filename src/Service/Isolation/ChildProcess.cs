using System.Diagnostics;
using System.Text.Json;
using Condense.Pipeline.Reports;

namespace Condense.Service.Isolation;

/// <summary>One child, seen from the service.</summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    /// <summary>How often its memory is looked at: what it can take in between is what it may exceed its limit by.</summary>
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(50);

    /// <summary>A child that died holding this share of its limit died of it, whatever the last words were.</summary>
    private const double NearTheLimit = 0.85;

    /// <summary>Exit codes of processes that a signal ended begin here.</summary>
    private const int Signals = 128;

    private const int Kill = 9;

    /// <summary>How long a process that has closed its output may take to be gone.</summary>
    private static readonly TimeSpan s_end = TimeSpan.FromSeconds(10);

    private readonly Process _process;
    private readonly SemaphoreSlim _saying = new(1, 1);
    private readonly ChildMemory _memory;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly Task _errors;
    private long _cap;
    private volatile bool _overMemory;

    /// <summary>Takes a process that has just been started.</summary>
    /// <param name="process">The process.</param>
    /// <param name="clock">Time.</param>
    /// <param name="logger">Where its last words go.</param>
    public ChildProcess(Process process, TimeProvider clock, ILogger logger)
    {
        (_process, _clock, _logger) = (process, clock, logger);
        _memory = new ChildMemory(process);
        _errors = RelayErrorsAsync();
    }

    /// <summary>Whether it lives.</summary>
    public bool IsAlive => !_process.HasExited;

    /// <summary>The memory that it holds now.</summary>
    public long MemoryBytes => _memory.Look();

    /// <summary>Does a task.</summary>
    /// <param name="task">The task.</param>
    /// <param name="relay">What its words lead to.</param>
    /// <param name="stop">How it is stopped.</param>
    /// <param name="cap">The memory that it may hold.</param>
    /// <exception cref="ChildFaultException">The task failed.</exception>
    /// <exception cref="ChildDiedException">The child died.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public async Task<ChildResult> RunAsync(ChildTask task, ChildRelay relay, ChildStop stop, long cap)
    {
        _cap = cap;
        _memory.Reset();
        using var ended = new CancellationTokenSource();
        var watching = WatchAsync(ended.Token);
        var stopping = StopAsync(stop, ended.Token);
        try
        {
            await SayAsync(new ParentMessage(ParentWord.Task) { Task = task });
            return await ListenAsync(relay, stop);
        }
        finally
        {
            await ended.CancelAsync();
            await Task.WhenAll(watching, stopping);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        await _process.WaitForExitAsync();
        await _errors;
        _process.Dispose();
        _saying.Dispose();
    }

    private async Task<ChildResult> ListenAsync(ChildRelay relay, ChildStop stop)
    {
        while (await _process.StandardOutput.ReadLineAsync(CancellationToken.None) is { } line)
        {
            if (await ReadAsync(line) is not { } message)
            {
                break;
            }

            switch (message.Word)
            {
                case ChildWord.Progress:
                    relay.Progress?.Report(message.Progress!);
                    break;
                case ChildWord.Done:
                    _memory.Look();
                    return new ChildResult(message.Report, message.Description, _memory.PeakBytes);
                case ChildWord.Failed:
                    throw new ChildFaultException(message.Fault!);
                case ChildWord.Stopped:
                    throw new OperationCanceledException(stop.Stop);
                case ChildWord.Share or ChildWord.Take:
                    // No layer is in work: there is nothing to finish.
                    await SayAsync(await relay.AnswerAsync(message, stop.Stop));
                    break;
                default:
                    await SayAsync(await relay.AnswerAsync(message, stop.AtOnce));
                    break;
            }
        }

        await _process.WaitForExitAsync();
        stop.Stop.ThrowIfCancellationRequested();
        throw Died();
    }

    /// <summary>What a line says; null when it is the cut-off last one of a process that has died.</summary>
    /// <exception cref="InvalidDataException">The process lives, and nothing that it says can be trusted any more.</exception>
    private async Task<ChildMessage?> ReadAsync(string line)
    {
        try
        {
            return JsonSerializer.Deserialize<ChildMessage>(line, ReportJson.Options)!;
        }
        catch (JsonException exception)
        {
            using var patience = new CancellationTokenSource(s_end, _clock);
            await _process.WaitForExitAsync(patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return _process.HasExited ? null : throw new InvalidDataException($"The process {_process.Id} has written a line that is none of the protocol: {line}", exception);
        }
    }

    private async Task SayAsync(ParentMessage message)
    {
        byte[] line = [.. JsonSerializer.SerializeToUtf8Bytes(message, ReportJson.Options), (byte)'\n'];

        // A long line goes in pieces: nothing may come between them.
        await _saying.WaitAsync();
        try
        {
            await _process.StandardInput.BaseStream.WriteAsync(line);
            await _process.StandardInput.BaseStream.FlushAsync();
        }
        catch (IOException)
        {
            // It has died; its output ends, too, and that is where it is noticed.
        }
        finally
        {
            _saying.Release();
        }
    }

    /// <summary>Kills the child when it takes more than it may.</summary>
    private async Task WatchAsync(CancellationToken ended)
    {
        while (!ended.IsCancellationRequested)
        {
            if (_memory.Look() is var held && held > _cap)
            {
                _overMemory = true;
                IsolationLog.OverMemory(_logger, _process.Id, held, _cap);
                _process.Kill();
                return;
            }

            await Task.Delay(s_look, _clock, ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Tells the child to stop when it shall, and kills it when it does not.</summary>
    private async Task StopAsync(ChildStop stop, CancellationToken ended)
    {
        // What is said is not waited for: a process that stands still does not listen.
        var said = Task.CompletedTask;
        await UntilAsync(stop.Stop, ended);
        if (!ended.IsCancellationRequested && !stop.AtOnce.IsCancellationRequested)
        {
            said = SayAsync(new ParentMessage(ParentWord.Drain));
            await UntilAsync(stop.AtOnce, ended);
        }

        if (!ended.IsCancellationRequested)
        {
            said = Task.WhenAll(said, SayAsync(new ParentMessage(ParentWord.Cancel)));
            await Task.Delay(stop.Grace, _clock, ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!ended.IsCancellationRequested && !_process.HasExited)
            {
                IsolationLog.Killed(_logger, _process.Id, stop.Grace);
                _process.Kill();
            }
        }

        await said;
    }

    private async Task UntilAsync(CancellationToken one, CancellationToken other)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(one, other);
        await Task.Delay(Timeout.InfiniteTimeSpan, _clock, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>How it ended, in words.</summary>
    private ChildDiedException Died()
    {
        int code = _process.ExitCode;
        bool nearLimit = _memory.PeakBytes > NearTheLimit * _cap;
        if (_overMemory || nearLimit)
        {
            return new ChildDiedException(
                $"The work needed more than the {_cap >> 20} MiB of memory that a job may have here (it held {_memory.PeakBytes >> 20} MiB). Give workers a larger Worker:JobMemoryBytes, or compress a smaller model.",
                ranOutOfMemory: true);
        }

        string how = code > Signals && !OperatingSystem.IsWindows()
            ? code == Signals + Kill ? "was killed from outside (signal 9): by an administrator, or by the system when its memory ran out" : $"crashed (signal {code - Signals})"
            : $"ended with exit code {code}";
        return new ChildDiedException($"The process that did the work {how}; it held {_memory.PeakBytes >> 20} MiB of memory at most. The service's log has its last words.", ranOutOfMemory: false);
    }

    private async Task RelayErrorsAsync()
    {
        while (await _process.StandardError.ReadLineAsync(CancellationToken.None) is { } line)
        {
            IsolationLog.Said(_logger, _process.Id, line);
        }
    }
}
