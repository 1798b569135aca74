using System.Threading.Channels;
using Condense.Pipeline.Stages;
using Condense.Service.Access;
using Condense.Service.Isolation;
using Condense.Service.Storage;

namespace Condense.Service.Jobs;

/// <summary>
/// The service's end of a run's exchange: answers what the child asks, from the database, and stores finished pieces behind the run's back. Pieces are
/// stored from a moment on after which it is worth it: most jobs are done before.
/// </summary>
internal sealed class SharedPieces : IAsyncDisposable
{
    /// <summary>A run that is younger than this costs no more to repeat than its pieces cost to store.</summary>
    private static readonly TimeSpan s_worthStoring = TimeSpan.FromMilliseconds(250);

    /// <summary>How often it is looked whether others have finished what they took.</summary>
    private static readonly TimeSpan s_poll = TimeSpan.FromMilliseconds(200);

    /// <summary>The run waits for a layer that another has this many times as long as it took for its own slowest, then it takes it from there.</summary>
    private const int SlowerAtMost = 4;

    /// <summary>And never less than this.</summary>
    private static readonly TimeSpan s_shortestWait = TimeSpan.FromSeconds(30);

    private readonly IServiceScopeFactory _scopes;
    private readonly Job _job;
    private readonly string _worker;
    private readonly MemoryRoom? _assistsIn;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly CancellationToken _stop;
    private readonly long _began;
    private readonly Channel<Offer> _offers = Channel.CreateUnbounded<Offer>(new UnboundedChannelOptions { SingleReader = true });
    private readonly CancellationTokenSource _ended = new();
    private readonly Task _storing;
    private Task _renewing = Task.CompletedTask;
    private CancellationTokenSource? _lost;
    private volatile Layer? _held;
    private TimeSpan _slowest;
    private bool _sharesWork;

    /// <summary>Opens the exchange of a run.</summary>
    /// <param name="scopes">Scopes of services.</param>
    /// <param name="job">The job, with the token of the attempt.</param>
    /// <param name="worker">Who works: unlike any other name in the cluster.</param>
    /// <param name="assistsIn">For work on another's job: the room that it gives back when it is wanted; null for the job's own run.</param>
    /// <param name="clock">Time.</param>
    /// <param name="logger">Told what could not be stored.</param>
    /// <param name="stop">Cancelled when nothing more shall be stored: the attempt's end is not to wait for it.</param>
    public SharedPieces(IServiceScopeFactory scopes, Job job, string worker, MemoryRoom? assistsIn, TimeProvider clock, ILogger logger, CancellationToken stop)
    {
        (_scopes, _job, _worker, _assistsIn, _clock, _logger, _stop) = (scopes, job, worker, assistsIn, clock, logger, stop);
        _began = clock.GetTimestamp();
        _storing = Task.Run(StoreAllAsync, CancellationToken.None);
    }

    /// <summary>Cancels a source when a layer that was taken has been lost.</summary>
    public void WhenLost(CancellationTokenSource stop) => _lost = stop;

    /// <summary>Answers a child. While the database is away there is nothing to be had and nothing to be shared, and the run goes on by itself.</summary>
    public async Task<ParentMessage> AnswerAsync(ChildMessage question, CancellationToken cancellationToken)
    {
        try
        {
            return await LookUpAsync(question, cancellationToken);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            IsolationLog.NotShared(_logger, exception, _job.Id);
            return new ParentMessage(ParentWord.Answer);
        }
    }

    private async Task<ParentMessage> LookUpAsync(ChildMessage question, CancellationToken cancellationToken)
    {
        var answer = new ParentMessage(ParentWord.Answer);
        switch (question.Word)
        {
            case ChildWord.Fetch:
                return answer with { Found = await InScopeAsync<Checkpoints, bool>(store => store.FetchAsync(question.Key!, question.Path!, cancellationToken)) };
            case ChildWord.Offer:
                _offers.Writer.TryWrite(new Offer(question.Key!, question.Path!));
                return answer;
            case ChildWord.Share:
                // Whoever takes a layer relies on the pieces that were finished before.
                await FlushAsync();
                await InScopeAsync<LayerUnits, bool>(async units =>
                {
                    await units.ShareAsync(_job, question.Stage, question.Layers!, cancellationToken);
                    return true;
                });
                return answer;
            case ChildWord.Take:
                return answer with { Layer = await TakeAsync(question.Stage, cancellationToken) };
            case ChildWord.Finish:
                await FinishAsync(question.Stage, question.Layer, cancellationToken);
                return answer;
            default:
                throw new InvalidOperationException($"A child asks for {question.Word}.");
        }
    }

    /// <summary>Stores what is finished, while there is time for it, and takes back what was shared.</summary>
    public async ValueTask DisposeAsync()
    {
        _offers.Writer.Complete();
        await _storing.WaitAsync(_stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _ended.CancelAsync();
        await _renewing.WaitAsync(_stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _ended.Dispose();
        if (_sharesWork && _assistsIn is null)
        {
            await TakeBackAsync();
        }
    }

    private async Task TakeBackAsync()
    {
        try
        {
            await InScopeAsync<LayerUnits, bool>(async units =>
            {
                await units.RemoveAsync(_job, CancellationToken.None);
                return true;
            });
        }
        catch (Exception exception)
        {
            // What is left serves nobody once the job has another token or state.
            IsolationLog.NotShared(_logger, exception, _job.Id);
        }
    }

    private async Task<int?> TakeAsync(Stage stage, CancellationToken cancellationToken)
    {
        _sharesWork = true;
        long waiting = _clock.GetTimestamp();
        while (_assistsIn is null || !_assistsIn.IsWantedBack)
        {
            int? layer = await InScopeAsync<LayerUnits, int?>(units => units.TakeAsync(_job.Id, _job.Token, stage, _worker, cancellationToken));
            if (layer is not null)
            {
                _held = new Layer(stage, layer.Value, _clock.GetTimestamp());
                _renewing = _renewing.IsCompleted ? RenewAsync() : _renewing;
                return layer;
            }

            if (_assistsIn is not null || !await InScopeAsync<LayerUnits, bool>(units => units.AnyOpenAsync(_job, stage, cancellationToken)))
            {
                return null;
            }

            if (_clock.GetElapsedTime(waiting) is var waited && waited > s_shortestWait && waited > _slowest * SlowerAtMost)
            {
                // Who has it lives, and may hang.
                await InScopeAsync<LayerUnits>(units => units.ReleaseAsync(_job, stage, worker: null, cancellationToken));
                waiting = _clock.GetTimestamp();
            }

            await Task.Delay(s_poll, _clock, cancellationToken);
        }

        return null;
    }

    private async Task FinishAsync(Stage stage, int layer, CancellationToken cancellationToken)
    {
        if (_assistsIn is not null)
        {
            // The job's own worker looks for the piece as soon as it hears of it.
            await FlushAsync();
        }

        var took = _held is { } held ? _clock.GetElapsedTime(held.TakenAt) : TimeSpan.Zero;
        _slowest = took > _slowest ? took : _slowest;
        _held = null;
        await InScopeAsync<LayerUnits, bool>(async units =>
        {
            await units.FinishAsync(_job.Id, _job.Token, stage, layer, cancellationToken);
            return true;
        });
    }

    /// <summary>Keeps what is taken, until the run ends.</summary>
    private async Task RenewAsync()
    {
        while (!_ended.IsCancellationRequested)
        {
            await Task.Delay(LayerUnits.Renewal, _clock, _ended.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            try
            {
                // What was finished or taken meanwhile is another matter.
                var held = _held;
                if (held is null || _ended.IsCancellationRequested)
                {
                    continue;
                }

                bool isWantedBack = _assistsIn is { IsWantedBack: true };
                if (isWantedBack)
                {
                    // A whole job comes first: somebody else begins the layer again.
                    await InScopeAsync<LayerUnits>(units => units.ReleaseAsync(_job, held.Stage, _worker, CancellationToken.None));
                }

                if ((isWantedBack || !await InScopeAsync<LayerUnits, bool>(units => units.RenewAsync(_job.Id, _job.Token, held.Stage, held.Number, _worker, CancellationToken.None)))
                    && ReferenceEquals(held, _held)
                    && _lost is not null)
                {
                    await _lost.CancelAsync();
                    return;
                }
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                // The database is away: the lease runs out, and somebody else does the layer. Equal pieces harm nobody.
                IsolationLog.SearchFailed(_logger, exception);
            }
        }
    }

    /// <summary>Waits until everything offered so far is stored.</summary>
    private Task FlushAsync()
    {
        var stored = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return _offers.Writer.TryWrite(new Offer("", "") { Stored = stored }) ? stored.Task : Task.CompletedTask;
    }

    private async Task StoreAllAsync()
    {
        var young = new List<Offer>();
        await foreach (var offer in _offers.Reader.ReadAllAsync())
        {
            if (offer.Stored is null && _clock.GetElapsedTime(_began) < s_worthStoring)
            {
                young.Add(offer);
                continue;
            }

            foreach (var waiting in young)
            {
                await StoreAsync(waiting);
            }

            young.Clear();
            if (offer.Stored is { } stored)
            {
                stored.SetResult();
            }
            else
            {
                await StoreAsync(offer);
            }
        }
    }

    private async Task StoreAsync(Offer offer)
    {
        try
        {
            await InScopeAsync<Checkpoints, bool>(
                async store =>
                {
                    await store.StoreAsync(offer.Key, offer.Path, _stop);
                    return true;
                },
                waits: true);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Nor will the ones that follow be.
        }
        catch (Exception exception)
        {
            // A piece saves time and is nothing that anybody was promised.
            IsolationLog.NotStored(_logger, exception, _job.Id);
        }
    }

    /// <summary>Works on rows. A run that asks does not wait for a database that is away; what is stored behind its back does.</summary>
    private async Task<T> InScopeAsync<TService, T>(Func<TService, Task<T>> work, bool waits = false)
        where TService : notnull
    {
        await using var scope = _scopes.CreateAsyncScope();
        if (!waits)
        {
            scope.ServiceProvider.GetRequiredService<Patience>().DoNotWait();
        }

        scope.ServiceProvider.GetRequiredService<Caller>().Become(_job.TenantId);
        return await work(scope.ServiceProvider.GetRequiredService<TService>());
    }

    private async Task InScopeAsync<TService>(Func<TService, Task> work)
        where TService : notnull =>
        await InScopeAsync<TService, bool>(async service =>
        {
            await work(service);
            return true;
        });

    /// <summary>A layer that was taken.</summary>
    /// <param name="Stage">Its stage.</param>
    /// <param name="Number">Its number.</param>
    /// <param name="TakenAt">When, a timestamp of the clock.</param>
    private sealed record Layer(Stage Stage, int Number, long TakenAt);

    /// <summary>A finished piece.</summary>
    /// <param name="Key">Its digest.</param>
    /// <param name="Path">Where it lies.</param>
    private sealed record Offer(string Key, string Path)
    {
        /// <summary>No piece: completed when all before it are stored.</summary>
        public TaskCompletionSource? Stored { get; init; }
    }
}
