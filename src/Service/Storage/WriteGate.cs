using Microsoft.Extensions.Options;

namespace Condense.Service.Storage;

/// <summary>On SQLite, lets one write transaction of this process in at a time, in the order of arrival; on PostgreSQL all of them.</summary>
internal sealed class WriteGate(IOptions<StorageOptions> options) : IDisposable
{
    private readonly SemaphoreSlim? _semaphore = options.Value.Provider == DatabaseProvider.Sqlite ? new(1, 1) : null;

    /// <summary>Waits for the turn.</summary>
    public Task EnterAsync(CancellationToken cancellationToken) => _semaphore?.WaitAsync(cancellationToken) ?? Task.CompletedTask;

    /// <summary>Passes the turn on.</summary>
    public void Leave() => _semaphore?.Release();

    /// <inheritdoc/>
    public void Dispose() => _semaphore?.Dispose();
}
