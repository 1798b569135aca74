using Microsoft.EntityFrameworkCore.Storage;

namespace Condense.Service.Storage;

/// <summary>
/// Tries a query again while the database is away, as long as the scope's <see cref="Patience"/> lasts. Not inside a transaction: what has been done in
/// it is lost, and <see cref="WriteTransaction"/> begins it anew.
/// </summary>
internal sealed class PatientReads(ExecutionStrategyDependencies dependencies, Patience patience, TimeProvider clock)
    : ExecutionStrategy(dependencies, int.MaxValue, TimeSpan.MaxValue)
{
    private long _firstFailure;

    private bool InTransaction => Dependencies.CurrentContext.Context.Database.CurrentTransaction is not null;

    /// <inheritdoc/>
    protected override void OnFirstExecution()
    {
        // The base class refuses transactions that it did not begin itself.
        ExceptionsEncountered.Clear();
    }

    /// <inheritdoc/>
    protected override bool ShouldRetryOn(Exception exception) => !InTransaction && DatabaseFault.IsAway(exception);

    /// <inheritdoc/>
    protected override TimeSpan? GetNextDelay(Exception lastException)
    {
        _firstFailure = ExceptionsEncountered.Count == 1 ? clock.GetTimestamp() : _firstFailure;
        return patience.NextPause(ExceptionsEncountered.Count, _firstFailure);
    }
}
