using Condense.Service.Access;
using Condense.Service.Hosting;
using Condense.Service.Jobs;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Xunit;

namespace Condense.Service.Tests.Jobs;

/// <summary>A lease that ends while the database is away says nothing about its worker.</summary>
public sealed class LeaseJudgementTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(90);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Who_has_just_started_judges_no_lease_before_the_workers_had_the_time_to_renew_theirs()
    {
        await using var service = await RunningService.StartAsync("--Role=Api", "--Worker:Lease=00:00:02", "--Worker:Renewal=00:00:00.5");
        await using var scope = service.Scope();
        var ledger = scope.ServiceProvider.GetRequiredService<JobLedger>();
        var jobs = scope.ServiceProvider.GetRequiredService<CondenseDbContext>().Jobs;
        foreach (string id in (string[])["job_L", "job_W", "job_E"])
        {
            await ledger.AcceptAsync(NewJob(id), _ => Task.CompletedTask, Cancellation);
            Assert.NotNull(await ledger.ClaimAsync(id, "w", Cancellation));
        }

        // One whose lease has run out, one that waits for its next attempt, and one that was taken from its worker on purpose.
        await jobs.ExecuteUpdateAsync(set => set.SetProperty(row => row.LeaseUntil, JobLedger.Lapsed + 1), Cancellation);
        await jobs.Where(row => row.Id == "job_W").ExecuteUpdateAsync(set => set.SetProperty(row => row.State, JobState.Queued), Cancellation);
        await jobs.Where(row => row.Id == "job_E").ExecuteUpdateAsync(set => set.SetProperty(row => row.LeaseUntil, JobLedger.Lapsed), Cancellation);
        var redelivery = scope.ServiceProvider.GetRequiredService<Redelivery>();
        Assert.Equal(2, await redelivery.HandOverAsync(Cancellation));
        Assert.Equal("job_L", await jobs.Where(row => row.State == JobState.Running).Select(row => row.Id).SingleAsync(Cancellation));

        long start = TimeProvider.System.GetTimestamp();
        while (await redelivery.HandOverAsync(Cancellation) == 0)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < s_patience, "Nobody takes the job of a dead worker.");
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, Cancellation);
        }

        Assert.Equal(3, await jobs.CountAsync(row => row.State == JobState.Queued, Cancellation));
    }

    [Fact]
    public void After_every_silence_in_which_a_lease_may_have_ended_the_time_of_a_lease_begins_anew()
    {
        var clock = new ManualClock();
        var contact = new DatabaseContact(Options.Create(new WorkerOptions()), clock);
        Assert.False(contact.Answered());
        Assert.True(AnsweredFor(8));
        clock.Pass(TimeSpan.FromSeconds(6));
        Assert.True(contact.Answered());
        clock.Pass(TimeSpan.FromSeconds(6.1));
        Assert.False(contact.Answered());
        Assert.False(AnsweredFor(7));
        Assert.True(AnsweredFor(1));

        bool AnsweredFor(int seconds)
        {
            bool judges = false;
            for (int i = 0; i < seconds; i++)
            {
                clock.Pass(TimeSpan.FromSeconds(1));
                judges = contact.Answered();
            }

            return judges;
        }
    }

    private static Job NewJob(string id) =>
        new() { Id = id, TenantId = Tenant.Default, ModelId = "mdl_1", RequestJson = """{"model":"mdl_1"}""", Priority = 5, CreatedAt = TimeProvider.System.GetUtcNow() };

    private sealed class ManualClock : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _now;

        public void Pass(TimeSpan time) => _now += time.Ticks;
    }
}
