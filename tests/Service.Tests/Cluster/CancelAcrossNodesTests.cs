using Xunit;

namespace Condense.Service.Tests.Cluster;

public sealed class CancelAcrossNodesTests(ServiceCluster cluster) : IClassFixture<ServiceCluster>
{
    private const int AtOnce = 4;
    private const int LatestMilliseconds = 1500;

    private static int Jobs { get; } = Campaign.Rounds(24, many: 500);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_job_that_was_canceled_at_any_moment_never_succeeds_and_one_that_succeeded_was_not_canceled()
    {
        await using var first = await cluster.StartWorkerAsync();
        await using var second = await cluster.StartWorkerAsync();
        string model = await cluster.Api.AddModelAsync(SampleModels.Layers(8, 96, 96));
        var random = new Random(7);
        int canceled = 0;
        int[] delays = [.. Enumerable.Range(0, Jobs).Select(_ => random.Next(LatestMilliseconds))];
        await Parallel.ForEachAsync(delays, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = Cancellation }, async (delay, cancel) =>
        {
            string job = await cluster.Api.AddJobAsync(model, 2);
            await Task.Delay(TimeSpan.FromMilliseconds(delay), TimeProvider.System, cancel);
            using var response = await cluster.Api.SendAsync(HttpMethod.Post, $"/v1/jobs/{job}/cancel");
            var ended = await cluster.Api.EndAsync(job);
            Assert.Equal(response.IsSuccessStatusCode ? "canceled" : "succeeded", (string?)ended["state"]);
            Interlocked.Add(ref canceled, (string?)ended["state"] == "canceled" ? 1 : 0);
            var types = (await cluster.Api.GetAsync($"/v1/jobs/{job}/events"))["data"]!.AsArray().Select(item => (string)item!["type"]!).ToArray();
            Assert.Equal((string?)ended["state"] == "canceled" ? 0 : 1, types.Count(type => type == "job.succeeded"));
            Assert.Equal((string?)ended["state"] == "canceled" ? 0L : 1L, await cluster.CountAsync($"SELECT count(*) FROM model WHERE source_job_id = '{job}'"));
        });
        Campaign.Report($"{Jobs} jobs canceled at random moments within {LatestMilliseconds} ms, by a process that does not run them: {canceled} canceled, {Jobs - canceled} had succeeded before; none did both");
    }
}
