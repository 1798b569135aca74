using System.Text.Json.Nodes;
using Condense.Service.Access;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Xunit;

namespace Condense.Service.Tests.Webhooks;

public sealed class RotationTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("webhook_endpoint")]
    [InlineData("tenant")]
    public async Task Of_two_rotations_at_once_both_secrets_sign(string table)
    {
        string[] database = await RunningService.PostgresSettingsAsync();
        await using var service = await RunningService.StartAsync(["--Role=Api", .. database]);
        using var made = await service.Api.SendAsync(HttpMethod.Post, "/v1/webhooks", ApiClient.Json("""{"url":"https://93.184.216.34/"}"""));
        string id = table == "tenant" ? "default" : (string)(await ApiClient.CreatedAsync(made))["id"]!;
        Assert.NotNull(await service.Api.GetAsync("/v1/webhooks/default/secret"));

        // Both are under way, and held up at the row, before either can go on.
        await using var source = NpgsqlDataSource.Create(database[1].Split('=', 2)[1]);
        await using var connection = await source.OpenConnectionAsync(Cancellation);
        Task<string>[] rotations;
        await using (var transaction = await connection.BeginTransactionAsync(Cancellation))
        {
            await using (var command = new NpgsqlCommand($"SELECT 1 FROM {table} FOR NO KEY UPDATE", connection, transaction))
            {
                await command.ExecuteNonQueryAsync(Cancellation);
            }

            rotations = [RotateAsync(service, id), RotateAsync(service, id)];
            await UntilTwoWaitAsync(source);
            await transaction.RollbackAsync(Cancellation);
        }

        string[] answered = await Task.WhenAll(rotations);
        await using var scope = service.Scope();
        var db = scope.ServiceProvider.GetRequiredService<CondenseDbContext>();
        string?[] stored;
        if (table == "tenant")
        {
            var tenant = await db.Tenants.SingleAsync(row => row.Id == Tenant.Default, Cancellation);
            stored = [tenant.WebhookSecret, tenant.PreviousWebhookSecret];
        }
        else
        {
            var endpoint = await db.WebhookEndpoints.SingleAsync(Cancellation);
            stored = [endpoint.Secret, endpoint.PreviousSecret];
        }

        Assert.Equal(answered.Order(StringComparer.Ordinal), stored.Order(StringComparer.Ordinal));
    }

    private static async Task<string> RotateAsync(RunningService service, string id)
    {
        using var response = await service.Api.SendAsync(HttpMethod.Post, $"/v1/webhooks/{id}/rotate-secret");
        return (string)JsonNode.Parse(await response.Content.ReadAsStringAsync(Cancellation))!["secret"]!;
    }

    private static async Task UntilTwoWaitAsync(NpgsqlDataSource source)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            await using var command = source.CreateCommand("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'");
            if ((long)(await command.ExecuteScalarAsync(Cancellation))! == 2)
            {
                return;
            }

            Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(60), "The rotations do not wait for each other.");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Cancellation);
        }
    }
}
