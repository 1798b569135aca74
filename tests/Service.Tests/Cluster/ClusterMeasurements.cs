using System.Globalization;
using System.Text.Json.Nodes;
using Xunit;

namespace Condense.Service.Tests.Cluster;

/// <summary>How long things take between processes; only in a campaign.</summary>
public sealed class ClusterMeasurements(ServiceCluster cluster) : IClassFixture<ServiceCluster>
{
    private const int Kills = 10;
    private const int Jobs = 100;

    [Fact(Explicit = true)]
    public async Task Seconds_from_kill_9_to_the_next_attempt()
    {
        string model = await ModelAsync(SampleModels.Layers(24, 512, 512));
        var seconds = new List<double>();
        for (int round = 0; round < Kills; round++)
        {
            await using var first = await cluster.StartWorkerAsync();
            string job = await cluster.Api.AddJobAsync(model, 4);
            await cluster.UntilAtWorkAsync(job);
            await using var second = await cluster.StartWorkerAsync();
            long killed = await cluster.CountAsync("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)");
            await first.KillAsync();
            await cluster.Api.UntilAsync($"/v1/jobs/{job}", document => document["attempts"]!.AsArray().Count == 2);
            long begun = await cluster.CountAsync($"SELECT CAST(extract(epoch FROM started_at) * 1000 AS bigint) FROM attempt WHERE job_id = '{job}' AND number = 2");
            seconds.Add((begun - killed) / 1000.0);
            await cluster.AssertPublishedOnceAsync(job);
        }

        Campaign.Report($"kill -9 of a worker, {Kills} times: its job is begun by another after {Describe(seconds, "s")} ({string.Join(", ", seconds.Select(value => value.ToString("F1", CultureInfo.InvariantCulture)))})");
    }

    [Fact(Explicit = true)]
    public async Task Milliseconds_from_submitted_to_running_in_another_process()
    {
        await using var worker = await cluster.StartWorkerAsync();
        string model = await ModelAsync(SampleModels.Layers(1, 32, 32));
        var milliseconds = new List<double>();
        for (int i = 0; i < Jobs; i++)
        {
            var ended = await cluster.Api.EndAsync(await cluster.Api.AddJobAsync(model, 2));
            milliseconds.Add(Between(ended["timings"]!, "createdAt", "startedAt"));
        }

        Campaign.Report($"submitted → running, from the API's process to a worker's, {Jobs} jobs one after the other: {Describe(milliseconds, "ms")}");
    }

    private async Task<string> ModelAsync(byte[] bytes)
    {
        await using var worker = await cluster.StartWorkerAsync();
        string model = await cluster.Api.AddModelAsync(bytes);
        await worker.TerminateAsync();
        return model;
    }

    private static double Between(JsonNode timings, string from, string to) => ((DateTimeOffset)timings[to]! - (DateTimeOffset)timings[from]!).TotalMilliseconds;

    private static string Describe(List<double> values, string unit)
    {
        double[] sorted = [.. values.Order()];
        return string.Create(CultureInfo.InvariantCulture, $"p50 {sorted[sorted.Length / 2]:F1} {unit}, p95 {sorted[sorted.Length * 95 / 100]:F1} {unit}, max {sorted[^1]:F1} {unit}");
    }
}
