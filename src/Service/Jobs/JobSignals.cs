namespace Condense.Service.Jobs;

/// <summary>Wakes those in this process who wait for a job's next event. It carries nothing: what happened stands in the table.</summary>
internal sealed class JobSignals
{
    private static readonly TimeSpan s_often = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_rarely = TimeSpan.FromSeconds(15);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, HashSet<Listener>> _listeners = new(StringComparer.Ordinal);

    /// <summary>How soon one who waits looks for itself: seldom, as long as this process hears of everything.</summary>
    public TimeSpan Poll { get; private set; } = s_rarely;

    /// <summary>Says whether this process hears of what other nodes write. Those who wait look at once: something may have happened meanwhile.</summary>
    public void HearOthers(bool hears)
    {
        lock (_lock)
        {
            Poll = hears ? s_rarely : s_often;
            foreach (var listener in _listeners.Values.SelectMany(all => all))
            {
                listener.Wake();
            }
        }
    }

    /// <summary>Listens for a job's events until the listener is disposed.</summary>
    public Listener Listen(string jobId)
    {
        var listener = new Listener(this, jobId);
        lock (_lock)
        {
            if (!_listeners.TryGetValue(jobId, out var all))
            {
                _listeners.Add(jobId, all = []);
            }

            all.Add(listener);
        }

        return listener;
    }

    /// <summary>Something happened to a job, and its row is committed.</summary>
    public void Raise(string jobId)
    {
        lock (_lock)
        {
            foreach (var listener in _listeners.GetValueOrDefault(jobId) ?? [])
            {
                listener.Wake();
            }
        }
    }

    private void Remove(Listener listener)
    {
        lock (_lock)
        {
            var all = _listeners[listener.JobId];
            if (all.Remove(listener) && all.Count == 0)
            {
                _listeners.Remove(listener.JobId);
            }
        }
    }

    /// <summary>One who waits. A signal that comes between two waits ends the next one at once.</summary>
    internal sealed class Listener(JobSignals signals, string jobId) : IDisposable
    {
        private TaskCompletionSource _signal = Fresh();

        /// <summary>The job.</summary>
        public string JobId => jobId;

        /// <summary>Forgets signals so far. Called before the table is read, so that none is lost.</summary>
        public void Reset()
        {
            if (_signal.Task.IsCompleted)
            {
                Volatile.Write(ref _signal, Fresh());
            }
        }

        /// <summary>Waits for a signal, or for the time to pass.</summary>
        /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
        public async Task WaitAsync(TimeSpan atMost, TimeProvider clock, CancellationToken cancellationToken)
        {
            using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            await Task.WhenAny(_signal.Task, Task.Delay(atMost, clock, end.Token));
            await end.CancelAsync();
            cancellationToken.ThrowIfCancellationRequested();
        }

        /// <summary>Ends the wait.</summary>
        public void Wake() => Volatile.Read(ref _signal).TrySetResult();

        /// <inheritdoc/>
        public void Dispose() => signals.Remove(this);

        private static TaskCompletionSource Fresh() => new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
