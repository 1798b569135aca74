using Condense.Service.Access;
using Condense.Service.Jobs;
using Npgsql;
using Xunit;

namespace Condense.Service.Tests.Cluster;

/// <summary>A node may stand still in the middle of a transaction: a suspended virtual machine, a SIGSTOP.</summary>
public sealed class SuspendedNodeTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_row_that_a_suspended_node_has_locked_costs_no_worker_its_leases()
    {
        await using var service = await RunningService.StartAsync(["--Role=Api", .. await RunningService.PostgresSettingsAsync()]);
        await using var scope = service.Scope();
        var ledger = scope.ServiceProvider.GetRequiredService<JobLedger>();
        string[] jobs = ["job_LOCKED", "job_OTHER"];
        foreach (string id in jobs)
        {
            var job = new Job { Id = id, TenantId = Tenant.Default, ModelId = "mdl_1", RequestJson = """{"model":"mdl_1"}""", Priority = 5, CreatedAt = TimeProvider.System.GetUtcNow() };
            await ledger.AcceptAsync(job, _ => Task.CompletedTask, Cancellation);
            Assert.NotNull(await ledger.ClaimAsync(id, "w", Cancellation));
        }

        // A session of the service as it opens them, that begins to cancel a job and is heard of no more.
        var database = service.Services.GetRequiredService<NpgsqlDataSource>();
        await using var suspended = await database.OpenConnectionAsync(Cancellation);
        await using var transaction = await suspended.BeginTransactionAsync(Cancellation);
        await ExecuteAsync(suspended, "UPDATE job SET version = version + 1 WHERE id = 'job_LOCKED'");

        Assert.Equal(jobs, (await ledger.RenewAsync("w", jobs, Cancellation)).Keys.Order(StringComparer.Ordinal));

        // The renewal came before the leases ended that the claims had begun: 8 s from then, and 8 s from now.
        await using var question = database.CreateCommand(
            "SELECT bool_and(j.lease_until - 8000 < extract(epoch FROM a.started_at) * 1000 + 8000) FROM job j JOIN attempt a ON a.job_id = j.id");
        Assert.True((bool)(await question.ExecuteScalarAsync(Cancellation))!);
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string statement)
    {
        await using var command = new NpgsqlCommand(statement, connection);
        await command.ExecuteNonQueryAsync(Cancellation);
    }
}
