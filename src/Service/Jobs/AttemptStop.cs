namespace Condense.Service.Jobs;

/// <summary>What stops an attempt, and why. The first reason counts; the process's end is <see cref="StopReason.Drained"/>.</summary>
internal sealed class AttemptStop : CancellationTokenSource
{
    private readonly TaskCompletionSource _left = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _atOnce = new();
    private readonly CancellationTokenRegistration _begun;
    private readonly CancellationTokenRegistration _over;
    private int _reason = -1;

    /// <summary>Of an attempt that begins.</summary>
    /// <param name="claim">Its claim.</param>
    /// <param name="drain">The process's end.</param>
    public AttemptStop(Job claim, Drain drain)
    {
        Claim = claim;
        _over = drain.Over.Register(_atOnce.Cancel);
        _begun = drain.Begun.Register(() => Stop(StopReason.Drained));
    }

    /// <summary>The attempt's claim.</summary>
    public Job Claim { get; }

    /// <summary>Cancelled when nothing is to be finished any more: at once for any reason but the process's end, which gives the layer in work some time.</summary>
    public CancellationToken AtOnce => _atOnce.Token;

    /// <summary>Why it is to stop; null while it may go on.</summary>
    public StopReason? Reason => Volatile.Read(ref _reason) is var reason and >= 0 ? (StopReason)reason : null;

    /// <summary>Completes when the attempt has left its files alone.</summary>
    public Task Left => _left.Task;

    /// <summary>Stops it; nothing happens when it has ended. One that drains can still be stopped at once.</summary>
    public void Stop(StopReason reason)
    {
        Interlocked.CompareExchange(ref _reason, (int)reason, -1);
        try
        {
            // First: whoever hears of the stop looks whether it is one at once.
            if (reason != StopReason.Drained)
            {
                _atOnce.Cancel();
            }

            Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It ended by itself between the look and the call.
        }
    }

    /// <summary>The attempt has ended.</summary>
    public void Leave() => _left.TrySetResult();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _begun.Dispose();
            _over.Dispose();
            _atOnce.Dispose();
        }

        base.Dispose(disposing);
    }
}
