using Condense.Service.Library;
using Quartz;

namespace Condense.Service.Jobs;

/// <summary>Hands work to Quartz: one trigger per piece, which carries the id of its row.</summary>
internal sealed class WorkTriggers(TimeProvider clock)
{
    /// <summary>The scheduler of all nodes.</summary>
    public const string SchedulerName = "condense";

    /// <summary>What compresses; limited to the configured number at once.</summary>
    public const string CompressionGroup = "compress";

    /// <summary>What reads uploaded models and makes other forms: never behind a long compression.</summary>
    public const string InspectionGroup = "inspect";

    /// <summary>
    /// A job goes before those of a priority lower by one that were accepted up to this much earlier, and not before older ones: however many
    /// of a higher priority keep coming, a job of priority p waits for none that was accepted more than (9 - p) times this after it.
    /// </summary>
    public static readonly TimeSpan PriorityStep = TimeSpan.FromMinutes(10);

    private const string SubjectKey = "subject";

    /// <summary>All models that wait are due at this one moment: in the order in which they come.</summary>
    private static readonly DateTimeOffset s_due = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>
    /// The moment by which a job is ordered. Quartz fires the earliest trigger first and looks at its own priority only between equals, so the
    /// priority moves the moment: always into the past, for a job may run at once.
    /// </summary>
    public static DateTimeOffset DueOf(Job job) => job.CreatedAt - (PriorityStep * (job.Priority + 1));

    /// <summary>The id of the row that a firing is about.</summary>
    public static string SubjectOf(IJobExecutionContext context) => (string)context.MergedJobDataMap[SubjectKey]!;

    /// <summary>Schedules the inspection of a model.</summary>
    public async Task InspectAsync(IScheduler scheduler, string modelId, CancellationToken cancellationToken) =>
        await scheduler.ScheduleJob(Trigger(InspectionJob.Key, InspectionGroup, modelId, modelId, s_due), cancellationToken: cancellationToken);

    /// <summary>Schedules the inspection of a model unless it is scheduled.</summary>
    public async Task<bool> TryInspectAsync(IScheduler scheduler, string modelId, CancellationToken cancellationToken)
    {
        if (await scheduler.Exists(new TriggerKey(modelId, InspectionGroup), cancellationToken))
        {
            return false;
        }

        await InspectAsync(scheduler, modelId, cancellationToken);
        return true;
    }

    /// <summary>Schedules the making of a model's dense form unless it is scheduled.</summary>
    public async Task<bool> TryExpandAsync(IScheduler scheduler, string modelId, CancellationToken cancellationToken)
    {
        string name = $"{modelId}/dense";
        if (await scheduler.Exists(new TriggerKey(name, InspectionGroup), cancellationToken))
        {
            return false;
        }

        await scheduler.ScheduleJob(Trigger(ExpansionJob.Key, InspectionGroup, name, modelId, s_due), cancellationToken: cancellationToken);
        return true;
    }

    /// <summary>
    /// Schedules a job's next attempt. The trigger of the last one still exists while its firing runs: each bears the token that it comes after.
    /// </summary>
    public async Task CompressAsync(IScheduler scheduler, Job job, CancellationToken cancellationToken) =>
        await scheduler.ScheduleJob(Trigger(CompressionJob.Key, CompressionGroup, NameOf(job), job.Id, DueOf(job)), cancellationToken: cancellationToken);

    /// <summary>Schedules a job's next attempt unless it is scheduled.</summary>
    public async Task<bool> TryCompressAsync(IScheduler scheduler, Job job, CancellationToken cancellationToken)
    {
        if (await IsScheduledAsync(scheduler, job, cancellationToken))
        {
            return false;
        }

        await CompressAsync(scheduler, job, cancellationToken);
        return true;
    }

    /// <summary>Whether a job's next attempt is scheduled, or a firing of it has not ended that has not begun the attempt.</summary>
    public static async Task<bool> IsScheduledAsync(IScheduler scheduler, Job job, CancellationToken cancellationToken) =>
        await scheduler.Exists(new TriggerKey(NameOf(job), CompressionGroup), cancellationToken);

    /// <summary>The rows that Quartz will deliver, now or after it has recovered from a crash.</summary>
    public static async Task<HashSet<string>> ScheduledAsync(IScheduler scheduler, JobKey key, CancellationToken cancellationToken) =>
        [.. (await scheduler.GetTriggersOfJob(key, cancellationToken)).Select(trigger => (string)trigger.JobDataMap[SubjectKey]!)];

    private static string NameOf(Job job) => FormattableString.Invariant($"{job.Id}/{job.Token}");

    private ITrigger Trigger(JobKey job, string group, string name, string subject, DateTimeOffset due) =>
        TriggerBuilder.Create(clock)
            .ForJob(job)
            .WithIdentity(name, group)
            .WithExecutionGroup(group)
            .StartAt(due)
            // Without this the misfire handler would move the ones that wait longest to the back.
            .WithSchedule(SimpleScheduleBuilder.Create().WithRepeatCount(0).WithMisfireInstruction(SimpleTriggerMisfireInstruction.IgnoreMisfires))
            .UsingJobData(SubjectKey, subject)
            .Build();
}
