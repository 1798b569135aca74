using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Condense.Pipeline.Reports;
using Condense.Pipeline.Stages;

namespace Condense.Service.Isolation;

/// <summary>The child's end of the two pipes: a JSON document per line. A run asks one thing at a time, so answers need no numbers.</summary>
internal sealed class ParentLink : IPieceExchange, IAsyncDisposable
{
    private readonly Stream _output;
    private readonly Lock _writing = new();
    private readonly Channel<ParentMessage> _answers = Channel.CreateUnbounded<ParentMessage>();
    private readonly Channel<ChildTask> _tasks = Channel.CreateUnbounded<ChildTask>();

    // For good: a child that was told to stop gets no further task.
    private readonly CancellationTokenSource _cancel = new();
    private readonly CancellationTokenSource _drain = new();

    /// <summary>Begins to listen.</summary>
    /// <param name="input">What the service says.</param>
    /// <param name="output">What is said to it.</param>
    /// <param name="ended">Called when the service has closed the input or has died.</param>
    public ParentLink(Stream input, Stream output, Action ended)
    {
        _output = output;
        _ = Task.Factory.StartNew(() => Listen(input, ended), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>Cancelled when the current task shall stop.</summary>
    public CancellationToken Cancel => _cancel.Token;

    /// <summary>Cancelled when the current task shall stop after the layer in work.</summary>
    public CancellationToken Drain => _drain.Token;

    /// <summary>The next task; null when there will be none.</summary>
    public async Task<ChildTask?> NextTaskAsync() => await _tasks.Reader.WaitToReadAsync() && _tasks.Reader.TryRead(out var task) ? task : null;

    /// <summary>Says how far the task is.</summary>
    public void Tell(StageProgress progress) => Send(new ChildMessage(ChildWord.Progress) { Progress = progress });

    /// <inheritdoc/>
    public async Task<bool> FetchAsync(string key, string path, CancellationToken cancellationToken) =>
        (await AskAsync(new ChildMessage(ChildWord.Fetch) { Key = key, Path = path }, cancellationToken)).Found;

    /// <inheritdoc/>
    public Task OfferAsync(string key, string path, CancellationToken cancellationToken) => AskAsync(new ChildMessage(ChildWord.Offer) { Key = key, Path = path }, cancellationToken);

    /// <inheritdoc/>
    public Task ShareAsync(Stage stage, IReadOnlyList<SharedLayer> layers, CancellationToken cancellationToken) =>
        AskAsync(new ChildMessage(ChildWord.Share) { Stage = stage, Layers = layers }, cancellationToken);

    /// <inheritdoc/>
    public async Task<int?> TakeAsync(Stage stage, CancellationToken cancellationToken) =>
        (await AskAsync(new ChildMessage(ChildWord.Take) { Stage = stage }, cancellationToken)).Layer;

    /// <inheritdoc/>
    public Task FinishAsync(Stage stage, int layer, CancellationToken cancellationToken) =>
        AskAsync(new ChildMessage(ChildWord.Finish) { Stage = stage, Layer = layer }, cancellationToken);

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _cancel.Dispose();
        _drain.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<ParentMessage> AskAsync(ChildMessage question, CancellationToken cancellationToken)
    {
        Send(question);
        return await _answers.Reader.ReadAsync(cancellationToken);
    }

    /// <summary>Says something. Lines of several threads do not mix.</summary>
    public void Send(ChildMessage message)
    {
        byte[] line = [.. JsonSerializer.SerializeToUtf8Bytes(message, ReportJson.Options), (byte)'\n'];
        lock (_writing)
        {
            _output.Write(line);
            _output.Flush();
        }
    }

    /// <summary>A thread of its own: it must hear the end of the service whatever the others do.</summary>
    private void Listen(Stream input, Action ended)
    {
        try
        {
            using var reader = new StreamReader(input, Encoding.UTF8);
            while (reader.ReadLine() is { } line)
            {
                Hear(JsonSerializer.Deserialize<ParentMessage>(line, ReportJson.Options)!);
            }
        }
        finally
        {
            ended();
        }
    }

    private void Hear(ParentMessage message)
    {
        switch (message.Word)
        {
            case ParentWord.Task:
                _tasks.Writer.TryWrite(message.Task!);
                break;
            case ParentWord.Cancel:
                _cancel.Cancel();
                break;
            case ParentWord.Drain:
                _drain.Cancel();
                break;
            default:
                _answers.Writer.TryWrite(message);
                break;
        }
    }
}
