using Condense.Service.Access;
using Condense.Service.Jobs;
using Condense.Service.Problems;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.Options;
using Xunit;

namespace Condense.Service.Tests.Access;

/// <summary>What a tenant has is counted once a second, and not for every job.</summary>
public sealed class QuotaGuardTests
{
    private const int Room = 1_010;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_was_counted_a_moment_ago_admits_jobs_and_refuses_none()
    {
        await using var service = await RunningService.StartAsync("--Role=Api");
        await using var scope = service.Scope();
        var db = scope.ServiceProvider.GetRequiredService<CondenseDbContext>();
        var clock = new ManualClock();
        var guard = new QuotaGuard(Options.Create(new QuotaOptions { UnfinishedJobs = Room, StoredBytes = 10 }), clock);
        db.Add(NewJob("job_NEW"));
        await AddJobAsync();

        // Behind its back, as another node does.
        await db.Database.ExecuteSqlAsync(
            $"INSERT INTO artifact (tenant_id, sha256, blob_id, bytes, created_at) VALUES ('default', 'a', 'b', 11, {TimeProvider.System.GetUtcNow()})", Cancellation);
        await AddJobAsync();
        clock.Pass(TimeSpan.FromSeconds(2));
        await RefusedAsync();
        await db.Database.ExecuteSqlAsync($"DELETE FROM artifact", Cancellation);
        await AddJobAsync();

        await using (var others = service.Scope())
        {
            var filled = others.ServiceProvider.GetRequiredService<CondenseDbContext>();
            filled.AddRange(Enumerable.Range(0, Room).Select(i => NewJob($"job_{i}")));
            await filled.SaveChangesAsync(Cancellation);
        }

        await AddJobAsync();
        clock.Pass(TimeSpan.FromSeconds(2));
        await RefusedAsync();
        await db.Jobs.ExecuteUpdateAsync(set => set.SetProperty(row => row.State, JobState.Succeeded), Cancellation);
        await AddJobAsync();

        async Task AddJobAsync() => await guard.SavingChangesAsync(new DbContextEventData(null!, null!, db), default, Cancellation);
        async Task RefusedAsync() => Assert.Equal(ProblemKind.QuotaExceeded.Code, (await Assert.ThrowsAsync<ProblemException>(AddJobAsync)).Kind.Code);
    }

    private static Job NewJob(string id) =>
        new() { Id = id, TenantId = Tenant.Default, ModelId = "mdl_1", RequestJson = """{"model":"mdl_1"}""", Priority = 5, CreatedAt = TimeProvider.System.GetUtcNow() };

    private sealed class ManualClock : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _now;

        public void Pass(TimeSpan time) => _now += time.Ticks;
    }
}
