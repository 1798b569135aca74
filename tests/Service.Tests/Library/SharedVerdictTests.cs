using System.Text.Json;
using Condense.Service.Hosting;
using Condense.Service.Jobs;
using Npgsql;
using Xunit;

namespace Condense.Service.Tests.Library;

public sealed class SharedVerdictTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_verdict_that_others_wait_for_survives_the_request_that_asked_first()
    {
        await using var service = await RunningService.StartAsync([.. await RunningService.PostgresSettingsAsync()]);
        string model = await service.Api.AddModelAsync(SampleModels.Layers(1, 64, 48));
        var request = JsonSerializer.Deserialize<JobRequest>($$"""{"model":"{{model}}","target":{"ratio":1.5} }""", ApiJson.Options)!;
        var source = service.Services.GetRequiredService<NpgsqlDataSource>();
        await using var connection = await source.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);

        // The judge looks the model's file up, and waits.
        await using (var command = new NpgsqlCommand("LOCK TABLE artifact IN ACCESS EXCLUSIVE MODE", connection))
        {
            await command.ExecuteNonQueryAsync(Cancellation);
        }

        using var leaving = new CancellationTokenSource();
        await using (var first = service.Scope())
        {
            var asked = first.ServiceProvider.GetRequiredService<JobAcceptance>().AcceptAsync(request, null, leaving.Token);
            await UntilOneWaitsAsync(source);
            await leaving.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked);
        }

        await using var second = service.Scope();
        var waiting = second.ServiceProvider.GetRequiredService<JobAcceptance>().AcceptAsync(request, null, Cancellation);
        await transaction.RollbackAsync(Cancellation);
        Assert.Equal(model, (await waiting).ModelId);
    }

    private static async Task UntilOneWaitsAsync(NpgsqlDataSource source)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            await using var command = source.CreateCommand("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'artifact'::regclass");
            if ((long)(await command.ExecuteScalarAsync(Cancellation))! > 0)
            {
                return;
            }

            Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(90), "nobody looks for the model's file");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Cancellation);
        }
    }
}
