using System.Text.Json.Nodes;
using Npgsql;
using Xunit;

namespace Condense.Service.Tests.Isolation;

/// <summary>Workers on one database, each with a folder of its own: what one has finished serves the others.</summary>
public sealed class SharedWorkTests : IAsyncLifetime
{
    /// <summary>Enough work for a job to be shared.</summary>
    private const int Layers = 8;

    private const int Side = 512;

    private string[] _database = [];
    private NpgsqlDataSource _rows = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = [.. await RunningService.PostgresSettingsAsync(), "--Worker:Threads=1"];
        _rows = NpgsqlDataSource.Create(_database[1].Split('=', 2)[1]);
    }

    public ValueTask DisposeAsync() => _rows.DisposeAsync();

    [Fact]
    public async Task A_sibling_on_another_node_takes_up_finished_layers()
    {
        byte[] model = SampleModels.Layers(6, 256, 256, seed: 8);
        JsonNode first;
        await using (var one = await RunningService.StartAsync(_database))
        {
            first = await one.Api.EndAsync(await one.Api.AddJobAsync(await one.Api.AddModelAsync(model), 4));
        }

        await using var two = await RunningService.StartAsync(_database);
        var second = await two.Api.EndAsync(await two.Api.AddJobAsync(await two.Api.AddModelAsync(model), 4));
        Assert.Equal(0, (int)first["result"]!["reusedLayers"]!);
        Assert.True((int)second["result"]!["reusedLayers"]! > 0, second.ToJsonString());
        Assert.Equal((string?)first["result"]!["digest"], (string?)second["result"]!["digest"]);
    }

    [Fact]
    public async Task A_large_job_is_worked_on_by_idle_workers_and_ends_the_same_though_one_is_killed()
    {
        byte[] model = SampleModels.Layers(Layers, Side, Side, seed: 9);
        await using var owner = await RunningService.StartAsync([.. _database, "--Worker:Assist=false"]);
        string id = await owner.Api.AddModelAsync(model);
        var folder = Directory.CreateTempSubdirectory("condense-helper-");
        var second = Directory.CreateTempSubdirectory("condense-helper-");
        await using (var killed = await ServiceProcess.StartReadyAsync(folder.FullName, [.. _database, "--Role=Worker"]))
        {
            await using var other = await ServiceProcess.StartReadyAsync(second.FullName, [.. _database, "--Role=Worker"]);
            string job = await owner.Api.AddJobAsync(id, 6);
            await TakenByOthersAsync(job);
            await killed.KillAsync();
            var ended = await owner.Api.EndAsync(job);
            Assert.True((string?)ended["state"] == "succeeded", ended.ToJsonString());

            // Whatever was stored for the tenant is gone: the next run computes all of it by itself.
            await using (var command = _rows.CreateCommand("DELETE FROM checkpoint"))
            {
                await command.ExecuteNonQueryAsync(Cancellation);
            }

            await other.KillAsync();
            var alone = await owner.Api.EndAsync(await owner.Api.AddJobAsync(id, 6));
            Assert.Equal(0, (int)alone["result"]!["reusedLayers"]!);
            Assert.Equal((string?)alone["result"]!["digest"], (string?)ended["result"]!["digest"]);
        }

        folder.Delete(recursive: true);
        second.Delete(recursive: true);
    }

    /// <summary>Waits until somebody other than the job's own worker has a layer in work.</summary>
    private async Task TakenByOthersAsync(string job)
    {
        string query = $"SELECT count(*) FROM layer_unit u JOIN attempt a ON a.job_id = u.job_id WHERE u.job_id = '{job}' AND u.worker IS NOT NULL AND u.worker <> a.worker";
        long start = TimeProvider.System.GetTimestamp();
        while (await CountAsync(query) == 0)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(90), "Nobody assists.");
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, Cancellation);
        }
    }

    private async Task<long> CountAsync(string query)
    {
        await using var command = _rows.CreateCommand(query);
        return (long)(await command.ExecuteScalarAsync(Cancellation))!;
    }
}
