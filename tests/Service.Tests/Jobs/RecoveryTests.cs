using Xunit;

namespace Condense.Service.Tests.Jobs;

public sealed class RecoveryTests : IDisposable
{
    /// <summary>What the two tests compress: enough layers to be interrupted, small enough to be done again.</summary>
    private const int Layers = 24;

    private const int FinishedLayers = 3;

    private readonly string _folder = Directory.CreateTempSubdirectory("condense-recovery-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_job_whose_process_was_killed_goes_on_where_it_was_and_gives_the_same_bytes()
    {
        string job;
        string model;
        await using (var first = await ServiceProcess.StartReadyAsync(_folder, "--Worker:Threads=1"))
        {
            model = await first.Api.AddModelAsync(SampleModels.Layers(Layers, 160, 160));
            job = await first.Api.AddJobAsync(model, 4);
            await WaitForLayersAsync(job);
            await first.KillAsync();
        }

        await using var second = await ServiceProcess.StartReadyAsync(_folder);
        var resumed = await second.Api.EndAsync(job);
        Assert.True((string?)resumed["state"] == "succeeded", resumed.ToJsonString());
        Assert.Equal(["workerDied", "succeeded"], resumed["attempts"]!.AsArray().Select(attempt => (string?)attempt!["endReason"]));
        Assert.True((int)resumed["result"]!["reusedLayers"]! > 0, resumed.ToJsonString());
        var events = (await second.Api.GetAsync($"/v1/jobs/{job}/events"))["data"]!.AsArray();
        Assert.Equal(Enumerable.Range(1, events.Count), events.Select(item => (int)item!["sequence"]!));

        var undisturbed = await second.Api.EndAsync(await second.Api.AddJobAsync(model, 4));
        Assert.Equal((string?)undisturbed["result"]!["digest"], (string?)resumed["result"]!["digest"]);
    }

    [Fact]
    public async Task An_orderly_stop_hands_the_job_to_the_next_start_without_charge()
    {
        string job;
        await using (var first = await ServiceProcess.StartReadyAsync(_folder, "--Worker:Threads=1"))
        {
            string model = await first.Api.AddModelAsync(SampleModels.Layers(Layers, 160, 160));
            job = await first.Api.AddJobAsync(model, 4);
            await WaitForLayersAsync(job);
            var (code, errors) = await first.TerminateAsync();
            Assert.Equal((0, ""), (code, errors));
        }

        await using var second = await ServiceProcess.StartReadyAsync(_folder);
        var resumed = await second.Api.EndAsync(job);
        Assert.Equal("succeeded", (string?)resumed["state"]);
        Assert.Equal(["drained", "succeeded"], resumed["attempts"]!.AsArray().Select(attempt => (string?)attempt!["endReason"]));
        Assert.True((int)resumed["result"]!["reusedLayers"]! > 0, resumed.ToJsonString());
    }

    /// <summary>Waits for the first finished layers: after two files per layer of the analysis, one more for each that is compressed.</summary>
    private async Task WaitForLayersAsync(string job)
    {
        string folder = Path.Combine(_folder, "data", "jobs", job);
        string work = Path.Combine(folder, "work");
        bool begun = false;
        while (!Directory.Exists(work) || Directory.GetFiles(work, "*.safetensors").Length < (2 * Layers) + FinishedLayers)
        {
            Assert.False(begun && !Directory.Exists(folder), "The job has ended already.");
            begun |= Directory.Exists(folder);
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, Cancellation);
        }
    }
}
