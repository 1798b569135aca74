using System.Globalization;
using System.Text.Json.Nodes;
using Xunit;

namespace Condense.Service.Tests.Cluster;

/// <summary>What a second worker is worth to one large job; only in a campaign, and small without a report.</summary>
public sealed class LargeJobMeasurements(ServiceCluster cluster) : IClassFixture<ServiceCluster>
{
    private const int Layers = 24;
    private const int Ratio = 6;

    private static int Side { get; } = Campaign.Rounds(128, many: 1024);

    [Fact(Explicit = true)]
    public async Task Seconds_of_a_job_of_24_layers_on_one_and_on_two_workers()
    {
        await using var first = await cluster.StartWorkerAsync();
        string model = await cluster.Api.AddModelAsync(SampleModels.Layers(Layers, Side, Side));
        var (alone, digest) = await RunAsync(model);
        await using var second = await cluster.StartWorkerAsync();
        var (together, shared) = await RunAsync(model);
        Assert.Equal(digest, shared);
        Campaign.Report(string.Create(
            CultureInfo.InvariantCulture,
            $"{Layers} layers of {Side} × {Side} f32, low-rank and quantize, ratio {Ratio}: {alone:F1} s on one worker, {together:F1} s on two ({alone / together:F2}×), digests equal"));
    }

    /// <summary>Runs the job with nothing finished before.</summary>
    private async Task<(double Seconds, string Digest)> RunAsync(string model)
    {
        await cluster.ChangeAsync("DELETE FROM checkpoint");
        string job = await cluster.Api.AddJobAsync(new JsonObject
        {
            ["model"] = model,
            ["target"] = new JsonObject { ["ratio"] = Ratio },
            ["methods"] = new JsonArray("low-rank", "quantize"),
        }.ToJsonString());
        var ended = await cluster.Api.UntilAsync($"/v1/jobs/{job}", document => (string?)document["state"] is "succeeded" or "failed", TimeSpan.FromMinutes(30));
        Assert.True((string?)ended["state"] == "succeeded", ended.ToJsonString());
        Assert.Equal(0, (int)ended["result"]!["reusedLayers"]!);
        var timings = ended["timings"]!;
        return (((DateTimeOffset)timings["finishedAt"]! - (DateTimeOffset)timings["startedAt"]!).TotalSeconds, (string)ended["result"]!["digest"]!);
    }
}
