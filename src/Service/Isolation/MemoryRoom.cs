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
        var place = new Place(this, Math.Min(bytes, _size), isJob: true);
        lock (_lock)
        {
            _waiting.AddLast(place);
            Admit();
        }

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
            var place = new Place(this, Math.Min(bytes, _size), isJob: false);
            if (_waiting.Count > 0 || _jobs + _assistants >= _places || _used + place.Bytes > _size)
            {
                return null;
            }

            Enter(place);
            return place;
        }
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
        _jobs += place.IsJob ? 1 : 0;
        _assistants += place.IsJob ? 0 : 1;
        place.Enter();
    }

    private void Leave(Place place)
    {
        lock (_lock)
        {
            if (!_waiting.Remove(place) && place.Entered.IsCompleted)
            {
                _used -= place.Bytes;
                _jobs -= place.IsJob ? 1 : 0;
                _assistants -= place.IsJob ? 0 : 1;
            }

            Admit();
        }
    }

    /// <summary>What one job has or waits for.</summary>
    private sealed class Place(MemoryRoom room, long bytes, bool isJob) : IDisposable
    {
        private readonly TaskCompletionSource _entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _left;

        public long Bytes => bytes;

        public bool IsJob => isJob;

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
