using System.Text.Json.Nodes;
using Condense.Service.Jobs;
using Npgsql;
using Xunit;

namespace Condense.Service.Tests.Library;

public sealed class InspectionFaultTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_model_that_can_t_be_read_through_our_fault_waits_and_is_ready_when_the_fault_is_mended()
    {
        string[] database = await RunningService.PostgresSettingsAsync();
        await using var rows = NpgsqlDataSource.Create(database[1].Split('=', 2)[1]);
        await using var api = await RunningService.StartAsync([.. database, "--Role=Api"]);
        using var response = await api.Api.UploadAsync(SampleModels.Layers(1, 64, 48));
        string model = (string)(await ApiClient.CreatedAsync(response))["id"]!;
        await ExecuteAsync(rows, "ALTER TABLE artifact_chunk RENAME TO out_of_reach");
        await using var worker = await RunningService.StartAsync([.. database, "--Role=Worker", "--Logging:LogLevel:Default=None"]);

        // Delivered, tried, and given up for now.
        while (await CountAsync(rows, "SELECT count(*) FROM qrtz_triggers WHERE trigger_group = 'inspect'") > 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, Cancellation);
        }

        Assert.Equal("validating", (string?)(await api.Api.GetAsync($"/v1/models/{model}"))["state"]);
        await ExecuteAsync(rows, "ALTER TABLE out_of_reach RENAME TO artifact_chunk");
        await using (var scope = worker.Scope())
        {
            // The sweeper would do the same within half a minute.
            await scope.ServiceProvider.GetRequiredService<Redelivery>().RescheduleAsync(Cancellation);
        }

        var ready = await api.Api.UntilAsync($"/v1/models/{model}", IsJudged);
        Assert.Equal("ready", (string?)ready["state"]);
    }

    private static bool IsJudged(JsonNode model) => (string?)model["state"] is "ready" or "rejected";

    private static async Task ExecuteAsync(NpgsqlDataSource rows, string statement)
    {
        await using var command = rows.CreateCommand(statement);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    private static async Task<long> CountAsync(NpgsqlDataSource rows, string query)
    {
        await using var command = rows.CreateCommand(query);
        return (long)(await command.ExecuteScalarAsync(Cancellation))!;
    }
}
