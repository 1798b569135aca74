using Condense.Service.Tests.Isolation;
using Xunit;

namespace Condense.Service.Tests.Cluster;

/// <summary>The database is away for longer than a lease while jobs run.</summary>
public sealed class OutageTests : IAsyncLifetime
{
    private const int Layers = 24;

    /// <summary>A short lease: an outage of several of them.</summary>
    private static readonly TimeSpan s_outage = TimeSpan.FromSeconds(7);

    private static readonly string[] s_settings = ["--Worker:Lease=00:00:02", "--Worker:Renewal=00:00:00.5", "--Worker:Threads=1", TestChildren.Poisonous];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("condense-outage-");
    private PostgresServer _server = null!;
    private string[] _database = [];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await PostgresServer.StartAsync();
        _database = ["--Storage:Provider=Postgres", $"--Storage:ConnectionString={await _server.CreateDatabaseAsync()}", "--Logging:LogLevel:Default=Error"];
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Jobs_run_through_an_outage_of_several_leases_though_another_worker_waits_for_them()
    {
        await using var busy = await StartAsync("busy", "--Worker:Concurrency=2");
        string model = await busy.Api.AddModelAsync(SampleModels.Named([.. Enumerable.Range(0, Layers).Select(i => $"poison.slow.{i}.weight")]));
        string[] jobs = [await busy.Api.AddJobAsync(model, 2), await busy.Api.AddJobAsync(model, 3)];
        foreach (string job in jobs)
        {
            await busy.Api.UntilAsync($"/v1/jobs/{job}", document => document["progress"] is not null);
        }

        await using var idle = await StartAsync("idle", "--Role=Worker");
        await _server.HaltAsync();
        await Task.Delay(s_outage, TimeProvider.System, Cancellation);
        await _server.ContinueAsync();
        await busy.Api.UntilReadyAsync();
        foreach (string job in jobs)
        {
            var ended = await busy.Api.EndAsync(job);
            string events = (await busy.Api.GetAsync($"/v1/jobs/{job}/events")).ToJsonString();
            Assert.True(ServiceCluster.EndsOf(ended).SequenceEqual(["succeeded"]), $"{ended.ToJsonString()}\n{events}");
            Assert.Equal([busy.Id], ServiceCluster.ProcessesOf(ended));
        }
    }

    [Fact]
    public async Task A_process_that_is_asked_to_end_while_the_database_is_away_ends_within_its_time_to_drain()
    {
        await using var worker = await StartAsync("worker", "--Worker:DrainTime=00:00:03");
        string model = await worker.Api.AddModelAsync(SampleModels.Named("poison.hang.weight"));
        string job = await worker.Api.AddJobAsync(model, 2);
        await worker.Api.UntilAsync($"/v1/jobs/{job}", document => document["progress"] is not null);
        await _server.HaltAsync();

        // The database never comes back in the life of this process: if it waited for it, so would this.
        await worker.TerminateAsync();
        await _server.ContinueAsync();
        await using var next = await StartAsync("next");
        await next.Api.UntilAsync($"/v1/jobs/{job}", document => document["attempts"]!.AsArray().Count == 2);
    }

    private Task<ServiceProcess> StartAsync(string name, params string[] settings) =>
        ServiceProcess.StartReadyAsync(_folder.CreateSubdirectory(name).FullName, [.. s_settings, .. _database, .. settings]);
}
