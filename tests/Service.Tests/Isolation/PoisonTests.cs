using Xunit;

namespace Condense.Service.Tests.Isolation;

public sealed class PoisonTests : IAsyncLifetime
{
    private const string Secret = "CONDENSE_TEST_SECRET";

    private RunningService _service = null!;

    public async ValueTask InitializeAsync()
    {
        Environment.SetEnvironmentVariable(Secret, "hunter2");
        _service = await RunningService.StartAsync(
            TestChildren.Poisonous, "--Worker:Concurrency=2", $"--Worker:JobMemoryBytes={300 << 20}", "--Worker:RetryDelay=00:00:00.05", "--Logging:LogLevel:Default=None");
    }

    public ValueTask DisposeAsync() => _service.DisposeAsync();

    [Theory]
    [InlineData("poison.crash.weight", "signal 6")]
    [InlineData("poison.cut.weight", "signal 9")]
    public async Task A_job_that_crashes_its_process_fails_after_three_attempts_and_others_go_on(string layer, string signal)
    {
        string bad = await StartAsync(layer);
        string good = await StartAsync("harmless.weight");
        Assert.Equal("succeeded", (string?)(await _service.Api.EndAsync(good))["state"]);
        var job = await _service.Api.EndAsync(bad);
        Assert.Equal(("failed", "worker_crashed_repeatedly"), ((string?)job["state"], (string?)job["error"]!["code"]));
        Assert.Contains(signal, (string)job["error"]!["detail"]!, StringComparison.Ordinal);
        Assert.Equal(["workerDied", "workerDied", "workerDied"], job["attempts"]!.AsArray().Select(attempt => (string?)attempt!["endReason"]));
    }

    [Theory]
    [InlineData("poison.native.weight")]
    [InlineData("poison.managed.weight")]
    public async Task A_job_that_allocates_without_end_runs_out_of_memory_and_others_go_on(string layer)
    {
        string bad = await StartAsync(layer);
        string good = await StartAsync("harmless.weight");
        var other = await _service.Api.EndAsync(good);
        Assert.Equal("succeeded", (string?)other["state"]);
        Assert.InRange((long)other["peakMemoryBytes"]!, 1 << 20, 300 << 20);
        var job = await _service.Api.EndAsync(bad);
        Assert.Equal(("failed", "out_of_memory"), ((string?)job["state"], (string?)job["error"]!["code"]));
        Assert.Equal(["out_of_memory", "out_of_memory", "out_of_memory"], job["attempts"]!.AsArray().Select(attempt => (string?)attempt!["endReason"]));
    }

    [Fact]
    public async Task A_job_that_hangs_is_canceled_and_its_process_with_it()
    {
        var folder = Directory.CreateTempSubdirectory("condense-hang-");
        await using (var process = await ServiceProcess.StartReadyAsync(folder.FullName, TestChildren.Poisonous))
        {
            var (job, child) = await HangAsync(process);
            Assert.DoesNotContain(Secret, await File.ReadAllTextAsync($"/proc/{child}/environ", TestContext.Current.CancellationToken), StringComparison.Ordinal);
            using var canceled = await process.Api.SendAsync(HttpMethod.Post, $"/v1/jobs/{job}/cancel");
            Assert.Equal("canceled", (string?)(await process.Api.EndAsync(job))["state"]);
            await TestChildren.UntilAsync(() => !TestChildren.Lives(child), $"The process {child} of a canceled job lives on.");
        }

        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task The_process_of_a_job_dies_with_the_service()
    {
        var folder = Directory.CreateTempSubdirectory("condense-orphans-");
        int child;
        await using (var process = await ServiceProcess.StartReadyAsync(folder.FullName, TestChildren.Poisonous))
        {
            (_, child) = await HangAsync(process);
            await process.KillAsync();
        }

        await TestChildren.UntilAsync(() => !TestChildren.Lives(child), $"The process {child} has outlived the service.");
        folder.Delete(recursive: true);
    }

    private async Task<string> StartAsync(string layer) => await _service.Api.AddJobAsync(await _service.Api.AddModelAsync(SampleModels.Named(layer)), 2);

    /// <summary>A job that hangs, and the process that it hangs in.</summary>
    private static async Task<(string Job, int Child)> HangAsync(ServiceProcess process)
    {
        string model = await process.Api.AddModelAsync(SampleModels.Named("poison.hang.weight"));
        string job = await process.Api.AddJobAsync(model, 2);
        await process.Api.UntilAsync($"/v1/jobs/{job}", document => document["progress"] is not null);
        string worker = (string)(await process.Api.GetAsync($"/v1/jobs/{job}"))["attempts"]![0]!["worker"]!;
        return (job, Assert.Single(TestChildren.Of(int.Parse(worker.Split('/')[1].Split('-')[0], System.Globalization.CultureInfo.InvariantCulture))));
    }
}
