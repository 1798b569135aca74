using Quartz;
using Quartz.Impl.AdoJobStore;

namespace Condense.Service.Jobs;

/// <summary>
/// Lets Quartz look for work only in the groups that have a free slot. By itself it reads past every waiting trigger of a group at its limit, each time it
/// looks: with 10,000 jobs queued, that took longer than the jobs.
/// </summary>
internal static class OpenGroups
{
    /// <summary>Finds what is due in one group without reading the others. Quartz's own index has no groups.</summary>
    public const string IndexSql =
        "CREATE INDEX IF NOT EXISTS ix_qrtz_triggers_due_by_group ON qrtz_triggers (sched_name, execution_group, trigger_state, next_fire_time)";

    private static readonly string[] s_all = [WorkTriggers.CompressionGroup, WorkTriggers.InspectionGroup];

    /// <summary>
    /// Reads what is due in the groups that have a free slot; and of those that have none one trigger, by which Quartz knows that there is something to look for
    /// as soon as work ends. Every trigger here has a group.
    /// </summary>
    /// <param name="criteria">What Quartz looks for.</param>
    /// <param name="select">Reads, as Quartz would.</param>
    public static async ValueTask<List<TriggerAcquireResult>> SelectAsync(
        TriggerAcquisitionCriteria criteria, Func<TriggerAcquisitionCriteria, ValueTask<List<TriggerAcquireResult>>> select)
    {
        var slots = criteria.ExecutionLimits?.CreateSlots([]);
        var isFull = s_all.ToLookup(group => slots is not null && slots.TryGetRemaining(group, out int? left) && left is 0, ExecutionGroupScope.Named);
        if (!isFull[true].Any())
        {
            return await select(criteria);
        }

        List<TriggerAcquireResult> found = isFull[false].Any() ? await select(criteria with { ServedExecutionGroups = [.. isFull[false]] }) : [];
        foreach (var group in isFull[true])
        {
            found.AddRange(await select(criteria with { ServedExecutionGroups = [group], MaxCount = 1 }));
        }

        return found;
    }
}
