namespace Condense.Service.Jobs;

/// <summary>Wakes this process's <see cref="Sweeper"/>: a job waits to be handed over.</summary>
internal sealed class HandoverSignal : IDisposable
{
    private readonly SemaphoreSlim _raised = new(0);

    /// <summary>Ends the wait, or the next one.</summary>
    public void Raise()
    {
        if (_raised.CurrentCount == 0)
        {
            _raised.Release();
        }
    }

    /// <summary>Waits for the signal, or for the time to pass.</summary>
    public async Task WaitAsync(TimeSpan atMost, CancellationToken cancellationToken) => await _raised.WaitAsync(atMost, cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _raised.Dispose();
}
