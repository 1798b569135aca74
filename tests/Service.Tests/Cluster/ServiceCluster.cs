using System.Text.Json.Nodes;
using Npgsql;
using Xunit;

namespace Condense.Service.Tests.Cluster;

/// <summary>One process that answers requests, on a database that the test's workers share with it. The workers are the test's.</summary>
public sealed class ServiceCluster : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("condense-cluster-");
    private string[] _settings = [];
    private ServiceProcess? _api;
    private int _nodes;

    internal ApiClient Api
    {
        get
        {
            _api!.AssertRuns();
            return _api.Api;
        }
    }

    internal NpgsqlDataSource Database { get; private set; } = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _settings = [.. await RunningService.PostgresSettingsAsync(), "--Logging:LogLevel:Default=Warning"];
        Database = NpgsqlDataSource.Create(_settings[1].Split('=', 2)[1]);
        _api = await StartAsync("--Role=Api");
    }

    public async ValueTask DisposeAsync()
    {
        if (_api is not null)
        {
            await _api.DisposeAsync();
            await Database.DisposeAsync();
        }

        _folder.Delete(recursive: true);
    }

    /// <summary>Starts a worker with one thread, and waits until it is ready.</summary>
    internal Task<ServiceProcess> StartWorkerAsync(params string[] settings) => StartAsync(["--Role=Worker", "--Worker:Threads=1", .. settings]);

    /// <summary>Ends the process that answers requests without a warning, and starts another one.</summary>
    internal async Task ReplaceApiAsync()
    {
        await _api!.KillAsync();
        await _api.DisposeAsync();
        _api = await StartAsync("--Role=Api");
    }

    /// <summary>Waits until a job runs.</summary>
    internal Task<JsonNode> UntilAtWorkAsync(string job) =>
        Api.UntilAsync(
            $"/v1/jobs/{job}",
            document =>
            {
                Assert.Contains((string?)document["state"], new[] { "queued", "running" });
                return (string?)document["state"] == "running";
            });

    /// <summary>How the attempts of a job ended.</summary>
    internal static IEnumerable<string?> EndsOf(JsonNode job) => job["attempts"]!.AsArray().Select(attempt => (string?)attempt!["endReason"]);

    /// <summary>The processes of a job's attempts, as their ids.</summary>
    internal static int[] ProcessesOf(JsonNode job) =>
        [.. job["attempts"]!.AsArray().Select(attempt => int.Parse(((string)attempt!["worker"]!).Split('/')[1].Split('-')[0], System.Globalization.CultureInfo.InvariantCulture))];

    /// <summary>Checks that a succeeded job has published once, and that its events have no gaps.</summary>
    internal async Task AssertPublishedOnceAsync(string job)
    {
        var document = await Api.EndAsync(job);
        Assert.True((string?)document["state"] == "succeeded", document.ToJsonString());
        var events = (await Api.GetAsync($"/v1/jobs/{job}/events"))["data"]!.AsArray();
        Assert.Equal(Enumerable.Range(1, events.Count), events.Select(item => (int)item!["sequence"]!));
        Assert.Single(events, item => (string?)item!["type"] == "job.succeeded");
        Assert.Equal(1L, await CountAsync($"SELECT count(*) FROM model WHERE source_job_id = '{job}'"));
    }

    /// <summary>One number from the database.</summary>
    internal async Task<long> CountAsync(string query)
    {
        await using var command = Database.CreateCommand(query);
        return (long)(await command.ExecuteScalarAsync(Cancellation))!;
    }

    /// <summary>Changes rows behind the service's back.</summary>
    internal async Task<int> ChangeAsync(string statement)
    {
        await using var command = Database.CreateCommand(statement);
        return await command.ExecuteNonQueryAsync(Cancellation);
    }

    private Task<ServiceProcess> StartAsync(params string[] settings) =>
        ServiceProcess.StartReadyAsync(_folder.CreateSubdirectory($"node{Interlocked.Increment(ref _nodes)}").FullName, [.. settings, .. _settings]);
}
