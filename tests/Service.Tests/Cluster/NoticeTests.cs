using Condense.Pipeline.Stages;
using Condense.Service.Access;
using Condense.Service.Jobs;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace Condense.Service.Tests.Cluster;

/// <summary>Two nodes in this process, on one PostgreSQL database; neither runs jobs.</summary>
public sealed class NoticeTests
{
    private const int Writers = 8;
    private const int Writes = 12;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private static readonly JobProgress s_progress =
        new() { Stage = Stage.Compressing, Fraction = 0.5, LayersDone = 1, LayersTotal = 2, LayersReused = 0, Message = "x" };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_one_node_commits_wakes_those_who_wait_at_another_also_after_the_connection_was_lost()
    {
        string[] database = await RunningService.PostgresSettingsAsync();
        await using var writer = await RunningService.StartAsync(["--Role=Api", .. database]);
        await using var reader = await RunningService.StartAsync(["--Role=Api", .. database]);
        await using var scope = writer.Scope();
        var ledger = scope.ServiceProvider.GetRequiredService<JobLedger>();
        await ledger.AcceptAsync(NewJob("job_A"), _ => Task.CompletedTask, Cancellation);
        var claim = (await ledger.ClaimAsync("job_A", "w", Cancellation))!;

        var signals = reader.Services.GetRequiredService<JobSignals>();
        using var listener = signals.Listen("job_A");
        await UntilHearingAsync(signals);
        await AssertWokenAsync(ledger, claim, listener);

        // Every connection of both nodes is cut; what listens comes back by itself. Those who wait look for themselves meanwhile.
        listener.Reset();
        var told = listener.WaitAsync(Timeout.InfiniteTimeSpan, TimeProvider.System, Cancellation);
        var db = scope.ServiceProvider.GetRequiredService<CondenseDbContext>();
        await db.Database.ExecuteSqlAsync($"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()", Cancellation);
        await told.WaitAsync(s_patience, Cancellation);
        await UntilListeningAsync(db, 2);
        await UntilHearingAsync(signals);
        await AssertWokenAsync(ledger, claim, listener);
    }

    [Fact]
    public async Task Events_have_no_gaps_though_two_nodes_write_them_at_once()
    {
        string[] database = await RunningService.PostgresSettingsAsync();
        await using var one = await RunningService.StartAsync(["--Role=Api", .. database]);
        await using var other = await RunningService.StartAsync(["--Role=Api", .. database]);
        await using var scope = one.Scope();
        var ledger = scope.ServiceProvider.GetRequiredService<JobLedger>();
        await ledger.AcceptAsync(NewJob("job_G"), _ => Task.CompletedTask, Cancellation);
        var claim = (await ledger.ClaimAsync("job_G", "w", Cancellation))!;

        bool[][] written = await Task.WhenAll(Enumerable.Range(0, Writers).Select(async writer =>
        {
            var mine = new bool[Writes];
            await using var own = (writer % 2 == 0 ? one : other).Scope();
            var writes = own.ServiceProvider.GetRequiredService<JobLedger>();
            for (int i = 0; i < Writes; i++)
            {
                mine[i] = await writes.ReportAsync(claim, s_progress with { LayersDone = i }, isEvent: true, Cancellation);
            }

            return mine;
        }));

        Assert.All(written, mine => Assert.All(mine, Assert.True));
        var db = scope.ServiceProvider.GetRequiredService<CondenseDbContext>();
        var sequences = await db.Events.Where(item => item.JobId == "job_G").OrderBy(item => item.Sequence).Select(item => item.Sequence).ToListAsync(Cancellation);
        Assert.Equal(Enumerable.Range(1, 2 + (Writers * Writes)), sequences);
        Assert.Equal(sequences.Count, await db.Jobs.Where(job => job.Id == "job_G").Select(job => job.EventCount).SingleAsync(Cancellation));
    }

    [Fact]
    public async Task Of_many_nodes_that_claim_one_job_at_once_one_gets_it()
    {
        string[] database = await RunningService.PostgresSettingsAsync();
        await using var one = await RunningService.StartAsync(["--Role=Api", .. database]);
        await using var other = await RunningService.StartAsync(["--Role=Api", .. database]);
        await using var scope = one.Scope();
        var ledger = scope.ServiceProvider.GetRequiredService<JobLedger>();
        for (int round = 0; round < Writes; round++)
        {
            string id = $"job_C{round}";
            await ledger.AcceptAsync(NewJob(id), _ => Task.CompletedTask, Cancellation);
            var claims = await Task.WhenAll(Enumerable.Range(0, Writers).Select(async writer =>
            {
                await using var own = (writer % 2 == 0 ? one : other).Scope();
                return await own.ServiceProvider.GetRequiredService<JobLedger>().ClaimAsync(id, $"worker {writer}", Cancellation);
            }));
            var claim = Assert.Single(claims, item => item is not null);
            var db = scope.ServiceProvider.GetRequiredService<CondenseDbContext>();
            var attempt = await db.Attempts.SingleAsync(row => row.JobId == id, Cancellation);
            Assert.Equal((claim!.Worker!, null), (attempt.Worker, attempt.EndReason));
        }
    }

    private static async Task AssertWokenAsync(JobLedger ledger, Job claim, JobSignals.Listener listener)
    {
        listener.Reset();
        var waiting = listener.WaitAsync(Timeout.InfiniteTimeSpan, TimeProvider.System, Cancellation);
        Assert.True(await ledger.ReportAsync(claim, s_progress, isEvent: true, Cancellation));
        await waiting.WaitAsync(s_patience, Cancellation);
    }

    [Fact]
    public async Task Who_waits_looks_often_while_news_may_get_lost_and_seldom_else()
    {
        var signals = new JobSignals();
        var seldom = signals.Poll;
        using var listener = signals.Listen("job_A");
        listener.Reset();
        var waiting = listener.WaitAsync(Timeout.InfiniteTimeSpan, TimeProvider.System, Cancellation);
        signals.HearOthers(false);
        Assert.True(signals.Poll < seldom);
        await waiting.WaitAsync(s_patience, Cancellation);
        listener.Reset();
        waiting = listener.WaitAsync(Timeout.InfiniteTimeSpan, TimeProvider.System, Cancellation);
        signals.HearOthers(true);
        Assert.Equal(seldom, signals.Poll);
        await waiting.WaitAsync(s_patience, Cancellation);
    }

    private static async Task UntilHearingAsync(JobSignals signals)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (signals.Poll < TimeSpan.FromSeconds(10))
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < s_patience, "The node does not hear of others.");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Cancellation);
        }
    }

    private static async Task UntilListeningAsync(CondenseDbContext db, int nodes)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (await db.Database.SqlQuery<int>(
            $"""SELECT count(*)::int AS "Value" FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'""").SingleAsync(Cancellation) < nodes)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < s_patience, "The nodes do not listen again.");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, Cancellation);
        }
    }

    private static Job NewJob(string id) =>
        new() { Id = id, TenantId = Tenant.Default, ModelId = "mdl_1", RequestJson = """{"model":"mdl_1"}""", Priority = 5, CreatedAt = TimeProvider.System.GetUtcNow() };
}
