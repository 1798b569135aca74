using System.Net;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace Condense.Service.Tests.Storage;

/// <summary>PostgreSQL may restart (P6), and it may be away for a while.</summary>
public sealed class DatabaseOutageTests
{
    private const int Jobs = 20;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(240);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Twenty_jobs_survive_a_crash_of_the_database_and_nothing_happens_twice()
    {
        await using var server = await PostgresServer.StartAsync();
        await using var service = await StartAsync(server, "--Worker:Concurrency=2", "--Worker:Threads=1");
        string model = await service.Api.AddModelAsync(SampleModels.Layers(6, 128, 128));
        var jobs = new List<string>();
        for (int i = 0; i < Jobs; i++)
        {
            jobs.Add(await service.Api.AddJobAsync(model, 2 + (i * 0.1)));
        }

        await service.Api.EndAsync(jobs[0]);
        await server.RestartAsync();
        foreach (string job in jobs)
        {
            var ended = await EndAsync(service, job);
            Assert.True((string?)ended["state"] == "succeeded", ended.ToJsonString());
            var events = (await service.Api.GetAsync($"/v1/jobs/{job}/events"))["data"]!.AsArray();
            Assert.Equal(Enumerable.Range(1, events.Count), events.Select(item => (int)item!["sequence"]!));
            Assert.Single(events, item => (string?)item!["type"] == "job.succeeded");
        }

        await using var scope = service.Scope();
        var db = scope.ServiceProvider.GetRequiredService<CondenseDbContext>();
        string?[] sources = await db.Models.Where(row => row.SourceJobId != null).Select(row => row.SourceJobId).ToArrayAsync(Cancellation);
        Assert.Equal(jobs.Order(StringComparer.Ordinal), sources.Order(StringComparer.Ordinal));
        string[] named = [.. await db.Artifacts.Select(row => row.BlobId).ToListAsync(Cancellation), .. await db.Checkpoints.Select(row => row.BlobId).ToListAsync(Cancellation)];
        Assert.Equal(named.Order(StringComparer.Ordinal), (await db.Chunks.Select(row => row.BlobId).Distinct().ToListAsync(Cancellation)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task While_the_database_is_away_every_answer_says_so_and_afterwards_all_is_well()
    {
        await using var server = await PostgresServer.StartAsync();
        await using var service = await StartAsync(server);
        string model = await service.Api.AddModelAsync(SampleModels.Layers(1, 64, 48));
        await server.HaltAsync();
        (HttpMethod Method, string Path, HttpContent? Content)[] requests =
        [
            (HttpMethod.Get, "/readyz", null),
            (HttpMethod.Get, "/v1/models", null),
            (HttpMethod.Get, $"/v1/models/{model}", null),
            (HttpMethod.Get, $"/v1/models/{model}/content", null),
            (HttpMethod.Get, "/v1/jobs", null),
            (HttpMethod.Post, "/v1/jobs", ApiClient.Json($$"""{"model":"{{model}}","target":{"ratio":2} }""")),
            (HttpMethod.Post, "/v1/models", ApiClient.Bytes(SampleModels.Layers(1, 32, 32, seed: 3))),
            (HttpMethod.Delete, $"/v1/models/{model}", null),
        ];
        foreach (var (method, path, content) in requests)
        {
            using var response = await service.Api.SendAsync(method, path, content);
            await ApiClient.ProblemAsync(response, 503, "database_unavailable");
            Assert.NotEmpty(response.Headers.GetValues("Retry-After"));
        }

        using var live = await service.Api.SendAsync(HttpMethod.Get, "/livez");
        Assert.Equal(HttpStatusCode.OK, live.StatusCode);

        await server.ContinueAsync();
        using var ready = await service.Api.SendAsync(HttpMethod.Get, "/readyz");
        Assert.Equal(HttpStatusCode.OK, ready.StatusCode);
        string job = await service.Api.AddJobAsync(model, 2);
        Assert.Equal("succeeded", (string?)(await EndAsync(service, job))["state"]);
    }

    [Fact]
    public async Task The_log_says_once_that_the_database_is_away_and_once_that_it_is_back()
    {
        await using var server = await PostgresServer.StartAsync();
        var folder = Directory.CreateTempSubdirectory("condense-outage-");
        await using (var service = await ServiceProcess.StartReadyAsync(
            folder.FullName, "--Storage:Provider=Postgres", $"--Storage:ConnectionString={await server.CreateDatabaseAsync()}", "--Storage:Patience=00:00:00"))
        {
            await server.HaltAsync();
            await UntilSaidAsync(service, "does not answer");

            // Time for everything that looks again and again; less of it would only hide a fault.
            await Task.Delay(TimeSpan.FromSeconds(6), TimeProvider.System, Cancellation);
            await server.ContinueAsync();
            await UntilSaidAsync(service, "is back after");
            string[] log = [.. service.Output];
            string all = string.Join('\n', log);
            Assert.True(log.Count(line => line.Contains("does not answer", StringComparison.Ordinal)) == 1, all);
            Assert.True(log.Count(line => line.Contains("is back after", StringComparison.Ordinal)) == 1, all);
            Assert.False(Array.Exists(log, line => line.StartsWith("         at ", StringComparison.Ordinal) || line.Contains("Quartz", StringComparison.Ordinal)), all);
        }

        folder.Delete(recursive: true);
    }

    private static async Task UntilSaidAsync(ServiceProcess service, string words)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (!service.Output.Any(line => line.Contains(words, StringComparison.Ordinal)))
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < s_patience, $"\"{words}\" is not said: {string.Join('\n', service.Output)}");
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, Cancellation);
        }
    }

    private static async Task<RunningService> StartAsync(PostgresServer server, params string[] settings) =>
        await RunningService.StartAsync(["--Storage:Provider=Postgres", $"--Storage:ConnectionString={await server.CreateDatabaseAsync()}", .. settings]);

    /// <summary>Asks until the job has ended, also while the database is away: then the answer is a problem, and nothing else.</summary>
    private static async Task<System.Text.Json.Nodes.JsonNode> EndAsync(RunningService service, string job)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            using var response = await service.Api.SendAsync(HttpMethod.Get, $"/v1/jobs/{job}");
            if (response.StatusCode == HttpStatusCode.ServiceUnavailable)
            {
                await ApiClient.ProblemAsync(response, 503, "database_unavailable");
            }
            else
            {
                var document = System.Text.Json.Nodes.JsonNode.Parse(await response.Content.ReadAsStringAsync(Cancellation))!;
                Assert.True(response.IsSuccessStatusCode, document.ToJsonString());
                if ((string?)document["state"] is "succeeded" or "failed" or "canceled")
                {
                    return document;
                }
            }

            Assert.True(TimeProvider.System.GetElapsedTime(start) < s_patience, $"{job} does not end.");
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, Cancellation);
        }
    }
}
