using System.Text.Json.Nodes;
using Xunit;

namespace Condense.Service.Tests.Cluster;

public sealed class DrainTests(ServiceCluster cluster) : IClassFixture<ServiceCluster>
{
    private const int Jobs = 12;

    [Fact]
    public async Task A_worker_that_is_asked_to_end_under_load_fails_no_job_and_charges_no_attempt()
    {
        await using var leaving = await cluster.StartWorkerAsync("--Worker:Concurrency=2");
        await using var staying = await cluster.StartWorkerAsync();
        string model = await cluster.Api.AddModelAsync(SampleModels.Layers(6, 96, 96));
        var jobs = new List<string>();
        for (int i = 0; i < Jobs; i++)
        {
            jobs.Add(await cluster.Api.AddJobAsync(model, 2 + (0.1 * i)));
        }

        string held = "";
        while (held.Length == 0)
        {
            var running = (await cluster.Api.GetAsync("/v1/jobs?state=running&limit=100"))["data"]!.AsArray();
            foreach (string id in running.Select(job => (string)job!["id"]!))
            {
                var document = await cluster.Api.GetAsync($"/v1/jobs/{id}");
                held = (string?)document["state"] == "running" && ServiceCluster.ProcessesOf(document)[0] == leaving.Id ? id : held;
            }
        }

        var (code, errors) = await leaving.TerminateAsync();
        Assert.Equal((0, ""), (code, errors));
        var ended = new List<JsonNode>();
        foreach (string job in jobs)
        {
            ended.Add(await cluster.Api.EndAsync(job));
            await cluster.AssertPublishedOnceAsync(job);
        }

        // Each attempt but the last was handed back; none died, and three of them would have been too many.
        Assert.All(ended, job => Assert.All(ServiceCluster.EndsOf(job).SkipLast(1), end => Assert.Equal("drained", end)));
        var handedBack = ended.Where(job => ServiceCluster.EndsOf(job).Count() > 1).ToArray();
        Assert.All(handedBack, job => Assert.Equal([leaving.Id, staying.Id], ServiceCluster.ProcessesOf(job)));
        Campaign.Report($"SIGTERM of one of two workers under {Jobs} jobs: {handedBack.Length} handed back and finished by the other, none failed, no attempt charged");
    }

    [Fact]
    public async Task A_worker_that_is_asked_to_end_hands_its_job_to_another_at_once()
    {
        await using var first = await cluster.StartWorkerAsync();
        await using var second = await cluster.StartWorkerAsync();
        string model = await cluster.Api.AddModelAsync(SampleModels.Layers(40, 256, 256));
        string job = await cluster.Api.AddJobAsync(model, 4);
        await cluster.UntilAtWorkAsync(job);
        bool isFirst = ServiceCluster.ProcessesOf(await cluster.Api.GetAsync($"/v1/jobs/{job}")).Single() == first.Id;
        var (leaving, staying) = isFirst ? (first, second) : (second, first);
        await leaving.TerminateAsync();
        var ended = await cluster.Api.EndAsync(job);
        Assert.Equal(["drained", "succeeded"], ServiceCluster.EndsOf(ended));
        Assert.Equal([leaving.Id, staying.Id], ServiceCluster.ProcessesOf(ended));
        await cluster.AssertPublishedOnceAsync(job);
    }
}
