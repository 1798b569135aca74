using Condense.Service.Library;
using Quartz;

namespace Condense.Service.Jobs;

/// <summary>Hands work to Quartz: one trigger per piece, which carries the id of its row.</summary>
internal sealed class WorkTriggers(TimeProvider clock)
{
    /// <summary>What compresses; limited to the configured number at once.</summary>
    public const string CompressionGroup = "compress";

    /// <summary>What reads uploaded models: never behind a long compression.</summary>
    public const string InspectionGroup = "inspect";

    private const string SubjectKey = "subject";

    /// <summary>
    /// Everything that waits is due at this one moment: Quartz fires the earliest trigger first and looks at the priority only between
    /// equals. The triggers ignore misfires, or the misfire handler would move the ones that wait longest to the back.
    /// </summary>
    private static readonly DateTimeOffset s_due = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>The id of the row that a firing is about.</summary>
    public static string SubjectOf(IJobExecutionContext context) => (string)context.MergedJobDataMap[SubjectKey]!;

    /// <summary>Schedules the inspection of a model.</summary>
    public async Task InspectAsync(IScheduler scheduler, string modelId, CancellationToken cancellationToken) =>
        await scheduler.ScheduleJob(Trigger(InspectionJob.Key, InspectionGroup, modelId, modelId, s_due, priority: 0), cancellationToken: cancellationToken);

    /// <summary>Schedules a job.</summary>
    public async Task CompressAsync(IScheduler scheduler, string jobId, int priority, CancellationToken cancellationToken) =>
        await scheduler.ScheduleJob(Trigger(CompressionJob.Key, CompressionGroup, jobId, jobId, s_due, priority), cancellationToken: cancellationToken);

    /// <summary>Schedules a job's next attempt.</summary>
    public async Task CompressAgainAsync(IScheduler scheduler, Job job, TimeSpan delay, CancellationToken cancellationToken)
    {
        // The trigger of the attempt that failed still exists while its firing runs: another name.
        var trigger = Trigger(CompressionJob.Key, CompressionGroup, $"{job.Id}/{job.Token}", job.Id, clock.GetUtcNow() + delay, job.Priority);
        await scheduler.ScheduleJob(trigger, cancellationToken: cancellationToken);
    }

    /// <summary>The rows that Quartz will deliver, now or after it has recovered from a crash.</summary>
    public static async Task<HashSet<string>> ScheduledAsync(IScheduler scheduler, JobKey key, CancellationToken cancellationToken) =>
        [.. (await scheduler.GetTriggersOfJob(key, cancellationToken)).Select(trigger => (string)trigger.JobDataMap[SubjectKey]!)];

    private ITrigger Trigger(JobKey job, string group, string name, string subject, DateTimeOffset due, int priority) =>
        TriggerBuilder.Create(clock)
            .ForJob(job)
            .WithIdentity(name, group)
            .WithExecutionGroup(group)
            .WithPriority(priority)
            .StartAt(due)
            .WithSchedule(SimpleScheduleBuilder.Create().WithRepeatCount(0).WithMisfireInstruction(SimpleTriggerMisfireInstruction.IgnoreMisfires))
            .UsingJobData(SubjectKey, subject)
            .Build();
}
