using Condense.Service.Jobs;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;

namespace Condense.Service.Telemetry;

/// <summary>
/// What the database says of the queue, looked at when somebody asks for it and remembered for a few seconds: however often it is asked for, the
/// database is not. While the database is away there are no such values, which is not the same as zero.
/// </summary>
internal sealed class DatabaseGauges(IServiceScopeFactory scopes, TimeProvider clock) : IDisposable
{
    private static readonly TimeSpan s_fresh = TimeSpan.FromSeconds(5);

    /// <summary>Prometheus itself waits ten seconds by default.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(3);

    private readonly SemaphoreSlim _one = new(1, 1);
    private QueueLook? _last;
    private long? _at;

    /// <summary>Whether the database answered when it was asked last.</summary>
    public bool IsUp => Volatile.Read(ref _last) is not null;

    /// <summary>A value of the last look; none without one.</summary>
    public IEnumerable<System.Diagnostics.Metrics.Measurement<double>> Read(Func<QueueLook, double> value) =>
        Volatile.Read(ref _last) is { } look ? [new(value(look))] : [];

    /// <summary>Looks, unless it has looked lately. Does not throw when the database is away.</summary>
    public async Task RefreshAsync(CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            if (_at is { } at && clock.GetElapsedTime(at) < s_fresh)
            {
                return;
            }

            using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            end.CancelAfter(s_patience);
            QueueLook? look = null;
            try
            {
                look = await LookAsync(end.Token);
            }
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested && (exception is OperationCanceledException || Problems.Fault.Of(exception).IsOurs))
            {
                // Not logged: whoever works with the database does that, and condense_database_up says it here.
            }

            Volatile.Write(ref _last, look);
            _at = clock.GetTimestamp();
        }
        finally
        {
            _one.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _one.Dispose();

    private async Task<QueueLook> LookAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var jobs = scope.ServiceProvider.GetRequiredService<CondenseDbContext>().Jobs.IgnoreQueryFilters().AsNoTracking();
        var counts = await jobs.Where(JobStates.Unfinished)
            .GroupBy(job => job.State)
            .Select(group => new { group.Key, Count = group.Count() })
            .ToDictionaryAsync(group => group.Key, group => group.Count, cancellationToken);

        // Ids begin with the time: the smallest is the oldest. SQLite can't compare times with offsets.
        string? oldest = await jobs.Where(job => job.State == JobState.Queued).MinAsync(job => (string?)job.Id, cancellationToken);
        var since = await jobs.Where(job => job.Id == oldest).Select(job => (DateTimeOffset?)job.CreatedAt).SingleOrDefaultAsync(cancellationToken);
        return new QueueLook(
            counts.GetValueOrDefault(JobState.Queued),
            counts.GetValueOrDefault(JobState.Running) + counts.GetValueOrDefault(JobState.Canceling),
            since is { } moment ? double.Max(0, (clock.GetUtcNow() - moment).TotalSeconds) : 0);
    }
}

/// <summary>The queue at a moment.</summary>
/// <param name="Queued">Jobs that wait.</param>
/// <param name="Running">Jobs that a worker has.</param>
/// <param name="OldestSeconds">How long the one that waits longest has waited; 0 when none waits.</param>
internal sealed record QueueLook(int Queued, int Running, double OldestSeconds);
