using System.Net.Sockets;
using System.Text.Json.Nodes;
using Condense.Service.Tests.Isolation;
using Npgsql;
using Xunit;

namespace Condense.Service.Tests.Cluster;

public sealed class DrainTests(ServiceCluster cluster) : IClassFixture<ServiceCluster>
{
    private const int Jobs = 12;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

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
        foreach (var job in ended)
        {
            var ends = ServiceCluster.EndsOf(job).SkipLast(1);
            Assert.True(ends.All(end => end == "drained"), $"{job}\n{await cluster.Api.GetAsync($"/v1/jobs/{job["id"]}/events")}");
        }

        var handedBack = ended.Where(job => ServiceCluster.EndsOf(job).Count() > 1).ToArray();
        Assert.NotEmpty(handedBack);
        Assert.All(handedBack, job => Assert.Equal([leaving.Id, staying.Id], ServiceCluster.ProcessesOf(job)));
        Campaign.Report($"SIGTERM of one of two workers under {Jobs} jobs: {handedBack.Length} handed back and finished by the other, none failed, no attempt charged");
    }

    [Fact]
    public async Task A_slow_upload_takes_no_time_from_the_jobs_of_a_process_that_ends()
    {
        await using var leaving = await cluster.StartWorkerAsync("--Role=Both", "--Worker:DrainTime=00:00:05", TestChildren.Poisonous);
        string job = await cluster.Api.AddJobAsync(await cluster.Api.AddModelAsync(SampleModels.Named("poison.hang.weight")), 2);
        await cluster.UntilAtWorkAsync(job);
        using var connection = new TcpClient();
        await connection.ConnectAsync(leaving.Api.Http.BaseAddress!.Host, leaving.Api.Http.BaseAddress.Port, Cancellation);
        var uploading = TrickleAsync(connection.GetStream());
        await leaving.TerminateAsync();
        await uploading;
        await AssertDrainedAsync(job);
    }

    [Fact]
    public async Task A_job_goes_back_in_time_though_its_finished_pieces_can_t_be_stored()
    {
        await using var leaving = await cluster.StartWorkerAsync("--Worker:DrainTime=00:00:05");
        string job = await cluster.Api.AddJobAsync(await cluster.Api.AddModelAsync(SampleModels.Layers(40, 256, 256, seed: 21)), 4);
        await cluster.UntilAtWorkAsync(job);
        while (await cluster.CountAsync("SELECT count(*) FROM checkpoint") == 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, Cancellation);
        }

        await using (var connection = await cluster.Database.OpenConnectionAsync(Cancellation))
        {
            await using var transaction = await connection.BeginTransactionAsync(Cancellation);
            await using var command = new NpgsqlCommand("LOCK TABLE checkpoint IN ACCESS EXCLUSIVE MODE", connection, transaction);
            await command.ExecuteNonQueryAsync(Cancellation);
            await leaving.TerminateAsync();
        }

        await AssertDrainedAsync(job);
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

    /// <summary>The job waits for another attempt, and the one that was stopped did not count. Cancels it.</summary>
    private async Task AssertDrainedAsync(string job)
    {
        var document = await cluster.Api.GetAsync($"/v1/jobs/{job}");
        Assert.True(
            ServiceCluster.EndsOf(document).SequenceEqual(["drained"]) && (string?)document["state"] == "queued", $"{document}\n{await cluster.Api.GetAsync($"/v1/jobs/{job}/events")}");
        using var response = await cluster.Api.SendAsync(HttpMethod.Post, $"/v1/jobs/{job}/cancel");
        Assert.True(response.IsSuccessStatusCode);
    }

    /// <summary>Begins an upload and sends a little of it now and then, until the service has had enough of it.</summary>
    private static async Task TrickleAsync(NetworkStream stream)
    {
        try
        {
            await stream.WriteAsync("POST /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/octet-stream\r\nContent-Length: 1000000\r\n\r\n"u8.ToArray(), Cancellation);
            while (true)
            {
                await stream.WriteAsync(new byte[100], Cancellation);
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, Cancellation);
            }
        }
        catch (IOException)
        {
            // The connection is closed.
        }
    }
}
