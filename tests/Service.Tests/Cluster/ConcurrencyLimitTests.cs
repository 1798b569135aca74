using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace Condense.Service.Tests.Cluster;

public sealed class ConcurrencyLimitTests
{
    private const int Submitters = 50;
    private const int Limit = 3;

    [Fact]
    public async Task Fifty_submitters_against_a_limit_of_three_never_have_more_than_three_jobs_running()
    {
        await using var service = await RunningService.StartAsync([$"--Worker:Concurrency={Limit}", "--Worker:Threads=1", .. await RunningService.PostgresSettingsAsync()]);
        string model = await service.Api.AddModelAsync(SampleModels.Layers(2, 48, 48));
        string[] jobs = await Task.WhenAll(Enumerable.Range(0, Submitters).Select(i => service.Api.AddJobAsync(model, 2, i % 10)));
        foreach (string job in jobs)
        {
            Assert.Equal("succeeded", (string?)(await service.Api.EndAsync(job))["state"]);
        }

        // By the attempts' own times: each began after, and ended before, it held its place.
        await using var scope = service.Scope();
        var attempts = await scope.ServiceProvider.GetRequiredService<CondenseDbContext>().Attempts.AsNoTracking().ToListAsync(TestContext.Current.CancellationToken);
        int most = attempts.Max(one => attempts.Count(other => other.StartedAt <= one.StartedAt && other.EndedAt > one.StartedAt));
        Assert.Equal(Submitters, attempts.Count);
        Assert.InRange(most, 2, Limit);
    }
}
