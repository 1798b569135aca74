using Condense.Service.Access;
using Condense.Pipeline.Stages;
using Condense.Service.Jobs;
using Condense.Service.Problems;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;
using Quartz;
using Xunit;

namespace Condense.Service.Tests.Jobs;

public sealed class JobLedgerTests(JobLedgerTests.WithoutWorker service) : IClassFixture<JobLedgerTests.WithoutWorker>
{
    private static readonly JobProgress s_progress =
        new() { Stage = Stage.Compressing, Fraction = 0.5, LayersDone = 1, LayersTotal = 2, LayersReused = 0, Message = "x" };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Who_has_lost_a_job_writes_nothing()
    {
        await using var scope = service.Scope();
        var ledger = await AcceptAsync(scope, "job_A");
        var old = (await ledger.ClaimAsync("job_A", "first", Cancellation))!;
        Assert.Null(await ledger.ClaimAsync("job_A", "second", Cancellation));
        await LoseAsync(scope, "job_A");
        var current = (await ledger.ClaimAsync("job_A", "second", Cancellation))!;
        Assert.Equal((1, 2), (old.Token, current.Token));

        Assert.False(await ledger.ReportAsync(old, s_progress, isEvent: true, Cancellation));
        Assert.False(await ledger.FailAsync(old, Fault.Of(new InvalidOperationException()), TimeSpan.Zero));
        Assert.False(await ledger.StopAsync(old));
        Assert.False(await ledger.CancelAsync(old));
        Assert.True(await ledger.ReportAsync(current, s_progress, isEvent: true, Cancellation));
        Assert.Equal(["workerDied", null], await EndsAsync(scope, "job_A"));
    }

    [Fact]
    public async Task Progress_between_events_is_on_the_row_and_not_in_the_log()
    {
        await using var scope = service.Scope();
        var ledger = await AcceptAsync(scope, "job_P");
        var claim = (await ledger.ClaimAsync("job_P", "w", Cancellation))!;
        Assert.True(await ledger.ReportAsync(claim, s_progress, isEvent: true, Cancellation));
        Assert.True(await ledger.ReportAsync(claim, s_progress with { LayersDone = 2 }, isEvent: false, Cancellation));
        var db = scope.ServiceProvider.GetRequiredService<CondenseDbContext>();
        var job = await db.Jobs.AsNoTracking().SingleAsync(row => row.Id == "job_P", Cancellation);
        Assert.Contains("\"layersDone\":2", job.ProgressJson, StringComparison.Ordinal);
        Assert.Equal((3, 3), (job.EventCount, await db.Events.CountAsync(item => item.JobId == "job_P", Cancellation)));
    }

    [Fact]
    public async Task Our_fault_is_tried_three_times_and_then_fails()
    {
        await using var scope = service.Scope();
        var ledger = await AcceptAsync(scope, "job_B");
        var states = new List<JobState>();
        for (int attempt = 0; attempt < JobLedger.MaxAttempts; attempt++)
        {
            var claim = (await ledger.ClaimAsync("job_B", "w", Cancellation))!;
            Assert.True(await ledger.FailAsync(claim, Fault.Of(new InvalidOperationException()), TimeSpan.Zero));
            states.Add(await StateAsync(scope, "job_B"));
        }

        Assert.Equal([JobState.Queued, JobState.Queued, JobState.Failed], states);
        Assert.Null(await ledger.ClaimAsync("job_B", "w", Cancellation));
        Assert.Equal(["internal", "internal", "internal"], await EndsAsync(scope, "job_B"));
    }

    [Fact]
    public async Task The_user_s_fault_is_not_tried_again()
    {
        await using var scope = service.Scope();
        var ledger = await AcceptAsync(scope, "job_C");
        var claim = (await ledger.ClaimAsync("job_C", "w", Cancellation))!;
        await ledger.FailAsync(claim, Fault.Of(new Condense.Pipeline.Recipes.RecipeException("infeasible_target", "x")), TimeSpan.Zero);
        Assert.Equal(JobState.Failed, await StateAsync(scope, "job_C"));
    }

    [Fact]
    public async Task A_process_that_dies_at_a_job_three_times_is_not_given_it_again()
    {
        await using var scope = service.Scope();
        var ledger = await AcceptAsync(scope, "job_D");
        for (int attempt = 0; attempt < JobLedger.MaxAttempts; attempt++)
        {
            Assert.NotNull(await ledger.ClaimAsync("job_D", "w", Cancellation));
            await LoseAsync(scope, "job_D");
        }

        Assert.Null(await ledger.ClaimAsync("job_D", "w", Cancellation));
        var db = scope.ServiceProvider.GetRequiredService<CondenseDbContext>();
        var job = await db.Jobs.AsNoTracking().SingleAsync(row => row.Id == "job_D", Cancellation);
        Assert.Equal(JobState.Failed, job.State);
        Assert.Contains("worker_crashed_repeatedly", job.ErrorJson, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_orderly_stop_puts_the_job_back_and_does_not_count()
    {
        await using var scope = service.Scope();
        var ledger = await AcceptAsync(scope, "job_E");
        for (int stop = 0; stop < JobLedger.MaxAttempts + 2; stop++)
        {
            var claim = await ledger.ClaimAsync("job_E", "w", Cancellation);
            Assert.True(await ledger.StopAsync(claim!));
            Assert.Equal(JobState.Queued, await StateAsync(scope, "job_E"));
        }
    }

    [Fact]
    public async Task Only_the_leases_of_jobs_that_a_node_works_on_are_renewed()
    {
        await using var scope = service.Scope();
        var ledger = await AcceptAsync(scope, "job_R1");
        await AcceptAsync(scope, "job_R2");
        Assert.NotNull(await ledger.ClaimAsync("job_R1", "node-R", Cancellation));

        // Its answer was lost on the way: nobody works on it.
        Assert.NotNull(await ledger.ClaimAsync("job_R2", "node-R", Cancellation));
        var rows = scope.ServiceProvider.GetRequiredService<CondenseDbContext>().Jobs.Where(row => row.Worker == "node-R");
        await rows.ExecuteUpdateAsync(set => set.SetProperty(row => row.LeaseUntil, 1), Cancellation);

        Assert.Equal(["job_R1"], (await ledger.RenewAsync("node-R", ["job_R1"], Cancellation)).Keys);
        var leases = await rows.ToDictionaryAsync(row => row.Id, row => row.LeaseUntil, Cancellation);
        Assert.Equal(1, leases["job_R2"]);
        Assert.True(leases["job_R1"] > 1);
    }

    [Fact]
    public async Task A_job_that_its_firing_gave_back_is_handed_on_when_the_firing_has_ended_and_stays_visible_till_then()
    {
        await using var scope = service.Scope();
        var ledger = await AcceptAsync(scope, "job_G");
        var jobs = scope.ServiceProvider.GetRequiredService<CondenseDbContext>().Jobs.AsNoTracking().Where(row => row.Id == "job_G");
        var scheduler = await service.Services.GetRequiredService<ISchedulerFactory>().GetScheduler(Cancellation);
        await ledger.ReturnAsync("job_G");

        // The firing's trigger is still there, and would go with it.
        Assert.False(await ledger.HandOverAsync(await jobs.SingleAsync(Cancellation), Cancellation));
        Assert.Equal(JobLedger.Lapsed, (await jobs.SingleAsync(Cancellation)).LeaseUntil);
        Assert.True(await scheduler.UnscheduleJob(new TriggerKey("job_G/0", WorkTriggers.CompressionGroup), Cancellation));
        Assert.True(await ledger.HandOverAsync(await jobs.SingleAsync(Cancellation), Cancellation));
        Assert.Equal(0, (await jobs.SingleAsync(Cancellation)).LeaseUntil);
        Assert.True(await WorkTriggers.IsScheduledAsync(scheduler, await jobs.SingleAsync(Cancellation), Cancellation));
    }

    [Fact]
    public async Task Events_have_no_gaps_whatever_happens()
    {
        await using var scope = service.Scope();
        var ledger = await AcceptAsync(scope, "job_F");
        var lost = (await ledger.ClaimAsync("job_F", "w", Cancellation))!;
        await LoseAsync(scope, "job_F");
        var claim = (await ledger.ClaimAsync("job_F", "w", Cancellation))!;
        await ledger.ReportAsync(lost, s_progress, isEvent: true, Cancellation);
        await ledger.ReportAsync(claim, s_progress, isEvent: true, Cancellation);
        await ledger.RequestCancelAsync("job_F", Cancellation);
        await ledger.ReportAsync(claim, s_progress, isEvent: true, Cancellation);
        await ledger.StopAsync(claim);
        await ledger.RequestCancelAsync("job_F", Cancellation);

        var db = scope.ServiceProvider.GetRequiredService<CondenseDbContext>();
        var events = await db.Events.AsNoTracking().Where(item => item.JobId == "job_F").OrderBy(item => item.Sequence).ToListAsync(Cancellation);
        Assert.Equal(Enumerable.Range(1, events.Count), events.Select(item => item.Sequence));
        Assert.Equal(["job.queued", "job.started", "job.requeued", "job.started", "job.progress", "job.canceling", "job.canceled"], events.Select(item => item.Type));
    }

    private static async Task<JobLedger> AcceptAsync(AsyncServiceScope scope, string id)
    {
        var ledger = scope.ServiceProvider.GetRequiredService<JobLedger>();
        var job = new Job { Id = id, TenantId = Tenant.Default, ModelId = "mdl_1", RequestJson = """{"model":"mdl_1"}""", Priority = 5, CreatedAt = TimeProvider.System.GetUtcNow() };
        await ledger.AcceptAsync(job, _ => Task.CompletedTask, Cancellation);
        return ledger;
    }

    /// <summary>As if the worker had not been heard of for the length of its lease.</summary>
    private static async Task LoseAsync(AsyncServiceScope scope, string id)
    {
        var jobs = scope.ServiceProvider.GetRequiredService<CondenseDbContext>().Jobs;
        await jobs.Where(row => row.Id == id).ExecuteUpdateAsync(set => set.SetProperty(row => row.LeaseUntil, JobLedger.Lapsed), Cancellation);
        Assert.True(await scope.ServiceProvider.GetRequiredService<JobLedger>().HandOverAsync(await jobs.AsNoTracking().SingleAsync(row => row.Id == id, Cancellation), Cancellation));
    }

    private static Task<JobState> StateAsync(AsyncServiceScope scope, string id) =>
        scope.ServiceProvider.GetRequiredService<CondenseDbContext>().Jobs.Where(row => row.Id == id).Select(row => row.State).SingleAsync(Cancellation);

    private static Task<List<string?>> EndsAsync(AsyncServiceScope scope, string id) =>
        scope.ServiceProvider.GetRequiredService<CondenseDbContext>().Attempts
            .Where(row => row.JobId == id).OrderBy(row => row.Number).Select(row => row.EndReason).ToListAsync(Cancellation);

    /// <summary>A service that takes jobs and runs none.</summary>
    public sealed class WithoutWorker() : RunningService("--Role=Api");
}
