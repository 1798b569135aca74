using Quartz.Impl.AdoJobStore;

namespace Condense.Service.Jobs;

/// <summary>Quartz on PostgreSQL; see <see cref="OpenGroups"/>.</summary>
internal sealed class PostgresJobStore : PostgreSQLDelegate
{
    /// <inheritdoc/>
    public override async ValueTask<List<TriggerAcquireResult>> SelectTriggersToAcquire(
        ConnectionAndTransactionHolder conn, TriggerAcquisitionCriteria criteria, CancellationToken cancellationToken = default) =>
        await OpenGroups.SelectAsync(criteria, open => base.SelectTriggersToAcquire(conn, open, cancellationToken));
}
