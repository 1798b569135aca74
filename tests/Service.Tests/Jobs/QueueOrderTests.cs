using Condense.Service.Access;
using Condense.Service.Jobs;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace Condense.Service.Tests.Jobs;

/// <summary>Higher priorities go first, and lower ones do not starve.</summary>
public sealed class QueueOrderTests
{
    private static readonly DateTimeOffset s_noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>
    /// One worker, a job a minute, and for a day more jobs of the highest priorities than it can do: still every job waits for those only that were
    /// accepted up to (9 - p) steps after it, so its wait is bounded by the work that was there by then.
    /// </summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Low_priorities_wait_no_longer_than_the_bound_however_many_higher_ones_come(int seed)
    {
        var random = new Random(seed);
        Job[] jobs = [.. Enumerable.Range(0, 24 * 60).SelectMany(minute => Arrivals(random, s_noon + TimeSpan.FromMinutes(minute)))];
        var queue = new PriorityQueue<Job, DateTimeOffset>();
        var startedAt = new Dictionary<string, DateTimeOffset>(StringComparer.Ordinal);
        int next = 0;
        for (var now = s_noon; startedAt.Count < jobs.Length; now += TimeSpan.FromMinutes(1))
        {
            while (next < jobs.Length && jobs[next].CreatedAt <= now)
            {
                queue.Enqueue(jobs[next], WorkTriggers.DueOf(jobs[next]));
                next++;
            }

            if (queue.TryDequeue(out var job, out _))
            {
                startedAt.Add(job.Id, now);
            }
        }

        int overtaken = 0;
        foreach (var job in jobs.Where(job => job.Priority == 0))
        {
            var horizon = job.CreatedAt + (9 * WorkTriggers.PriorityStep);
            var before = jobs.Where(other => startedAt[other.Id] < startedAt[job.Id]).ToArray();
            Assert.All(before, other => Assert.True(other.CreatedAt <= horizon, $"{other.Id} overtook {job.Id}"));
            int ahead = jobs.Count(other => other.CreatedAt <= horizon && startedAt[other.Id] >= job.CreatedAt);
            Assert.True(startedAt[job.Id] - job.CreatedAt <= TimeSpan.FromMinutes(ahead), $"{job.Id} waited {startedAt[job.Id] - job.CreatedAt}");
            overtaken += before.Count(other => other.CreatedAt > job.CreatedAt);
        }

        Assert.True(overtaken > 0, "Nothing of a higher priority went first.");
    }

    [Fact]
    public void Among_jobs_of_the_same_ten_minutes_the_priority_decides_and_among_equals_the_age()
    {
        Job[] jobs = [NewJob("a", 3, s_noon), NewJob("b", 9, s_noon.AddMinutes(9)), NewJob("c", 3, s_noon.AddMinutes(1)), NewJob("d", 4, s_noon.AddMinutes(9))];
        Assert.Equal(["b", "d", "a", "c"], jobs.OrderBy(WorkTriggers.DueOf).Select(job => job.Id));
    }

    [Fact]
    public async Task A_job_of_the_lowest_priority_that_has_waited_long_goes_before_a_new_one_of_the_highest()
    {
        // Quartz itself, on the database: jobs without a model fail as soon as they are begun.
        await using var service = await RunningService.StartAsync();
        string model = await service.Api.AddModelAsync(SampleModels.Layers(40, 256, 256));
        string busy = await service.Api.AddJobAsync(model, 3);
        await service.Api.UntilAsync($"/v1/jobs/{busy}", job => (string?)job["state"] == "running");
        var now = TimeProvider.System.GetUtcNow();
        await using (var scope = service.Scope())
        {
            var ledger = scope.ServiceProvider.GetRequiredService<JobLedger>();
            foreach (var job in new[] { NewJob("job_NEW9", 9, now), NewJob("job_OLD0", 0, now - (10 * WorkTriggers.PriorityStep)), NewJob("job_NEW0", 0, now), NewJob("job_NEW5", 5, now) })
            {
                await ledger.AcceptAsync(job, _ => Task.CompletedTask, Cancellation);
            }
        }

        (await service.Api.SendAsync(HttpMethod.Post, $"/v1/jobs/{busy}/cancel")).EnsureSuccessStatusCode();
        string[] ids = ["job_OLD0", "job_NEW9", "job_NEW5", "job_NEW0"];
        foreach (string id in ids)
        {
            await service.Api.EndAsync(id);
        }

        await using var after = service.Scope();
        var started = await after.ServiceProvider.GetRequiredService<CondenseDbContext>().Attempts.Where(row => ids.Contains(row.JobId)).OrderBy(row => row.StartedAt).ToListAsync(Cancellation);
        Assert.Equal(ids, started.Select(attempt => attempt.JobId));
    }

    private static IEnumerable<Job> Arrivals(Random random, DateTimeOffset at)
    {
        // 1.2 jobs a minute where one can be done; a twentieth of the lowest priority.
        int count = random.NextDouble() < 0.2 ? 2 : 1;
        for (int i = 0; i < count; i++)
        {
            int priority = random.NextDouble() < 0.05 ? 0 : 7 + random.Next(3);
            yield return NewJob(FormattableString.Invariant($"{at:HHmm}{at.Day}-{i}-p{priority}"), priority, at);
        }
    }

    private static Job NewJob(string id, int priority, DateTimeOffset at) =>
        new() { Id = id, TenantId = Tenant.Default, ModelId = "mdl_1", RequestJson = """{"model":"mdl_1"}""", Priority = priority, CreatedAt = at };
}
