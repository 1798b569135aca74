namespace Condense.Service.Jobs;

/// <summary>What stops an attempt, and why. The first reason counts; the process's end is <see cref="StopReason.Drained"/>.</summary>
internal sealed class AttemptStop : CancellationTokenSource
{
    private readonly TaskCompletionSource _left = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenRegistration _drain;
    private int _reason = -1;

    /// <summary>Of an attempt that begins.</summary>
    /// <param name="claim">Its claim.</param>
    /// <param name="drain">The process's end.</param>
    public AttemptStop(Job claim, CancellationToken drain)
    {
        Claim = claim;
        _drain = drain.Register(() => Stop(StopReason.Drained));
    }

    /// <summary>The attempt's claim.</summary>
    public Job Claim { get; }

    /// <summary>The moment of the monotonic clock up to which the lease is known to be ours, less its length.</summary>
    public long RenewedAt { get; set; }

    /// <summary>Why it is to stop; null while it may go on.</summary>
    public StopReason? Reason => Volatile.Read(ref _reason) is var reason and >= 0 ? (StopReason)reason : null;

    /// <summary>Completes when the attempt has left its files alone.</summary>
    public Task Left => _left.Task;

    /// <summary>Stops it. Nothing happens when it has been stopped, or has ended.</summary>
    public void Stop(StopReason reason)
    {
        if (Interlocked.CompareExchange(ref _reason, (int)reason, -1) != -1)
        {
            return;
        }

        try
        {
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
            _drain.Dispose();
        }

        base.Dispose(disposing);
    }
}
