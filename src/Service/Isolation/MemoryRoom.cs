using Condense.Service.Hosting;
using Microsoft.Extensions.Options;

namespace Condense.Service.Isolation;

/// <summary>
/// The memory of this node that jobs share. A job enters when what it is expected to need is free; those that wait enter in the order in which they
/// came, so a large one is not passed by for ever. One that is expected to need more than there is gets all of it, alone.
/// </summary>
internal sealed class MemoryRoom(IOptions<WorkerOptions> options)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<Place> _waiting = [];
    private readonly long _size = options.Value.Memory();
    private readonly int _places = options.Value.Concurrency;
    private long _used;
    private int _jobs;
    private int _assistants;
    private bool _inspects;

    /// <summary>Whether a slot for jobs is idle and nobody waits.</summary>
    public bool HasIdleSlot
    {
        get
        {
            lock (_lock)
            {
                return _waiting.Count == 0 && _jobs + _assistants < _places;
            }
        }
    }

    /// <summary>Whether those who assist hold what a job needs.</summary>
    public bool IsWantedBack
    {
        get
        {
            lock (_lock)
            {
                return _waiting.Count > 0 || _jobs + _assistants > _places;
            }
        }
    }

    /// <summary>Enters a job, waiting until its memory is free.</summary>
    /// <param name="bytes">What it is expected to need.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>Leaves the room when disposed.</returns>
    public async Task<IDisposable> EnterAsync(long bytes, CancellationToken cancellationToken)
    {
        var place = new Place(this, Math.Min(bytes, _size), Use.Job);
        lock (_lock)
        {
            Queue(place);
        }

        return await WaitAsync(place, cancellationToken);
    }

    /// <summary>
    /// Enters the inspection of a model that is too large for the memory that inspections have of their own. One at a time: the next one would keep small
    /// models waiting, too.
    /// </summary>
    /// <param name="bytes">What it is expected to need.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>Leaves the room when disposed; null when another one is in the room or waits.</returns>
    public async Task<IDisposable?> TryInspectAsync(long bytes, CancellationToken cancellationToken)
    {
        var place = new Place(this, Math.Min(bytes, _size), Use.Inspection);
        lock (_lock)
        {
            if (_inspects)
            {
                return null;
            }

            _inspects = true;
            Queue(place);
        }

        return await WaitAsync(place, cancellationToken);
    }

    private static async Task<IDisposable> WaitAsync(Place place, CancellationToken cancellationToken)
    {
        try
        {
            await place.Entered.WaitAsync(cancellationToken);
            return place;
        }
        catch (OperationCanceledException)
        {
            place.Dispose();
            throw;
        }
    }

    /// <summary>Enters work for another node's job, if there is an idle slot and memory now; else null.</summary>
    public IDisposable? TryAssist(long bytes)
    {
        lock (_lock)
        {
            var place = new Place(this, Math.Min(bytes, _size), Use.Assistance);
            if (_waiting.Count > 0 || _jobs + _assistants >= _places || _used + place.Bytes > _size)
            {
                return null;
            }

            Enter(place);
            return place;
        }
    }

    private void Queue(Place place)
    {
        _waiting.AddLast(place);
        Admit();
    }

    private void Admit()
    {
        while (_waiting.First is { } next && _used + next.Value.Bytes <= _size)
        {
            _waiting.RemoveFirst();
            Enter(next.Value);
        }
    }

    private void Enter(Place place)
    {
        _used += place.Bytes;
        _jobs += place.Use == Use.Job ? 1 : 0;
        _assistants += place.Use == Use.Assistance ? 1 : 0;
        place.Enter();
    }

    private void Leave(Place place)
    {
        lock (_lock)
        {
            if (!_waiting.Remove(place) && place.Entered.IsCompleted)
            {
                _used -= place.Bytes;
                _jobs -= place.Use == Use.Job ? 1 : 0;
                _assistants -= place.Use == Use.Assistance ? 1 : 0;
            }

            _inspects &= place.Use != Use.Inspection;
            Admit();
        }
    }

    private enum Use
    {
        Job,
        Assistance,
        Inspection,
    }

    /// <summary>What one of them has or waits for.</summary>
    private sealed class Place(MemoryRoom room, long bytes, Use use) : IDisposable
    {
        private readonly TaskCompletionSource _entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _left;

        public long Bytes => bytes;

        public Use Use => use;

        public Task Entered => _entered.Task;

        public void Enter() => _entered.SetResult();

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0)
            {
                room.Leave(this);
            }
        }
    }
}
