using Xunit;

namespace Condense.Service.Tests.Cluster;

public sealed class TakeoverTests(ServiceCluster cluster) : IClassFixture<ServiceCluster>
{
    private const int Layers = 12;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_killed_worker_s_job_is_finished_by_another_with_the_same_bytes_and_no_second_result()
    {
        await using var first = await cluster.StartWorkerAsync();
        string model = await cluster.Api.AddModelAsync(SampleModels.Layers(Layers, 128, 128));
        string job = await cluster.Api.AddJobAsync(model, 4);
        await cluster.UntilAtWorkAsync(job);
        await first.KillAsync();
        await using var second = await cluster.StartWorkerAsync();
        var ended = await cluster.Api.EndAsync(job);
        await cluster.AssertPublishedOnceAsync(job);
        Assert.Equal(["workerDied", "succeeded"], ServiceCluster.EndsOf(ended));
        Assert.Equal([first.Id, second.Id], ServiceCluster.ProcessesOf(ended));

        var undisturbed = await cluster.Api.EndAsync(await cluster.Api.AddJobAsync(model, 4));
        Assert.Equal((string?)undisturbed["result"]!["digest"], (string?)ended["result"]!["digest"]);
    }

    [Fact]
    public async Task A_worker_that_wakes_after_its_lease_changes_nothing_and_goes_on_with_other_work()
    {
        await using var paused = await cluster.StartWorkerAsync();
        string model = await cluster.Api.AddModelAsync(SampleModels.Layers(Layers, 128, 128));
        string job = await cluster.Api.AddJobAsync(model, 4);
        await cluster.UntilAtWorkAsync(job);
        await paused.SignalAsync("STOP");
        await using (var other = await cluster.StartWorkerAsync())
        {
            var ended = await cluster.Api.EndAsync(job);
            Assert.Equal(["workerDied", "succeeded"], ServiceCluster.EndsOf(ended));
            Assert.Equal([paused.Id, other.Id], ServiceCluster.ProcessesOf(ended));
            await other.TerminateAsync();
        }

        long version = await cluster.CountAsync($"SELECT CAST(version AS bigint) FROM job WHERE id = '{job}'");
        await paused.SignalAsync("CONT");

        // What it does next shows that it has dropped the job: it has one slot.
        var next = await cluster.Api.EndAsync(await cluster.Api.AddJobAsync(model, 2));
        Assert.Equal([paused.Id], ServiceCluster.ProcessesOf(next));
        Assert.Equal(version, await cluster.CountAsync($"SELECT CAST(version AS bigint) FROM job WHERE id = '{job}'"));
        await cluster.AssertPublishedOnceAsync(job);
    }

    [Fact]
    public async Task Two_workers_forced_onto_one_job_publish_once()
    {
        await using var first = await cluster.StartWorkerAsync();
        await using var second = await cluster.StartWorkerAsync();
        string model = await cluster.Api.AddModelAsync(SampleModels.Layers(2 * Layers, 128, 128));
        string job = await cluster.Api.AddJobAsync(model, 4);
        await cluster.UntilAtWorkAsync(job);

        // The worker lives and works; its lease is taken from it, as often as it renews it in time.
        while (await cluster.CountAsync($"SELECT count(*) FROM attempt WHERE job_id = '{job}'") < 2)
        {
            Assert.Equal(0L, await cluster.CountAsync($"SELECT count(*) FROM job WHERE id = '{job}' AND finished_at IS NOT NULL"));
            await cluster.ChangeAsync($"UPDATE job SET lease_until = 1 WHERE id = '{job}' AND state = 'Running' AND token = 1");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Cancellation);
        }

        var ended = await cluster.Api.EndAsync(job);
        Assert.Equal(["workerDied", "succeeded"], ServiceCluster.EndsOf(ended));
        await cluster.AssertPublishedOnceAsync(job);
    }

    [Fact]
    public async Task Workers_whose_clocks_are_wrong_by_ten_minutes_neither_steal_nor_lose_work()
    {
        // Short leases: were they judged by the workers' clocks, each would be over at once for the one, and never for the other.
        string[] settings = ["--Worker:Lease=00:00:03", "--Worker:Renewal=00:00:00.5"];
        await using var ahead = await cluster.StartWorkerAsync(["--skew=+00:10:00", .. settings]);
        await using var behind = await cluster.StartWorkerAsync(["--skew=-00:10:00", .. settings]);
        string model = await cluster.Api.AddModelAsync(SampleModels.Layers(Layers, 128, 128));
        string[] jobs = [await cluster.Api.AddJobAsync(model, 4), await cluster.Api.AddJobAsync(model, 3), await cluster.Api.AddJobAsync(model, 2)];
        foreach (string job in jobs)
        {
            var ended = await cluster.Api.EndAsync(job);
            Assert.Equal(["succeeded"], ServiceCluster.EndsOf(ended));
            Assert.True((DateTimeOffset)ended["timings"]!["startedAt"]! >= (DateTimeOffset)ended["timings"]!["createdAt"]!, ended.ToJsonString());
            Assert.InRange((DateTimeOffset)ended["timings"]!["finishedAt"]!, (DateTimeOffset)ended["timings"]!["startedAt"]!, TimeProvider.System.GetUtcNow() + TimeSpan.FromMinutes(1));
            await cluster.AssertPublishedOnceAsync(job);
        }

        // Nor is what a dead one leaves lost to the other, whichever it is.
        string last = await cluster.Api.AddJobAsync(model, 5);
        var running = await cluster.UntilAtWorkAsync(last);
        var (dead, heir) = ServiceCluster.ProcessesOf(running)[0] == ahead.Id ? (ahead, behind) : (behind, ahead);
        await dead.KillAsync();
        var taken = await cluster.Api.EndAsync(last);
        Assert.Equal(["workerDied", "succeeded"], ServiceCluster.EndsOf(taken));
        Assert.Equal(heir.Id, ServiceCluster.ProcessesOf(taken)[1]);
    }
}
