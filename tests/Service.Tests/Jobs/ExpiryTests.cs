using Condense.Service.Access;
using Condense.Service.Jobs;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace Condense.Service.Tests.Jobs;

public sealed class ExpiryTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_job_that_nobody_has_begun_in_time_expires_and_one_that_was_begun_does_not()
    {
        await using var service = await RunningService.StartAsync("--Role=Api");
        await using var scope = service.Scope();
        var ledger = scope.ServiceProvider.GetRequiredService<JobLedger>();
        var redelivery = scope.ServiceProvider.GetRequiredService<Redelivery>();
        var now = TimeProvider.System.GetUtcNow();
        await AddAsync(ledger, "job_LATE", now.AddMinutes(-1));
        await AddAsync(ledger, "job_EARLY", now.AddHours(1));
        await AddAsync(ledger, "job_ANY", null);
        await AddAsync(ledger, "job_BEGUN", now.AddHours(1));
        var db = scope.ServiceProvider.GetRequiredService<CondenseDbContext>();
        await ledger.StopAsync((await ledger.ClaimAsync("job_BEGUN", "w", Cancellation))!);
        await db.Jobs.Where(job => job.Id == "job_BEGUN").ExecuteUpdateAsync(set => set.SetProperty(job => job.ExpiresAt, now.AddMinutes(-1)), Cancellation);

        await redelivery.HandOverAsync(Cancellation);
        Assert.Equal("expired", (string?)(await service.Api.EndAsync("job_LATE"))["state"]);
        Assert.Equal(["job.queued", "job.expired"], (await service.Api.GetAsync("/v1/jobs/job_LATE/events"))["data"]!.AsArray().Select(item => (string?)item!["type"]));
        Assert.Equal(["job_EARLY", "job_ANY", "job_BEGUN"], await db.Jobs.Where(job => job.State == JobState.Queued).OrderByDescending(job => job.Id == "job_EARLY").ThenBy(job => job.Id).Select(job => job.Id).ToListAsync(Cancellation));

        using var cancel = await service.Api.SendAsync(HttpMethod.Post, "/v1/jobs/job_LATE/cancel");
        await ApiClient.ProblemAsync(cancel, 409, "job_already_finished");
    }

    [Fact]
    public async Task A_worker_that_comes_too_late_does_not_begin()
    {
        await using var service = await RunningService.StartAsync("--Role=Api");
        await using var scope = service.Scope();
        var ledger = scope.ServiceProvider.GetRequiredService<JobLedger>();
        await AddAsync(ledger, "job_LATE", TimeProvider.System.GetUtcNow().AddMilliseconds(-1));
        Assert.Null(await ledger.ClaimAsync("job_LATE", "w", Cancellation));
        Assert.Equal("expired", (string?)(await service.Api.EndAsync("job_LATE"))["state"]);
    }

    private static Task<Job> AddAsync(JobLedger ledger, string id, DateTimeOffset? expiresAt) =>
        ledger.AcceptAsync(
            new Job { Id = id, TenantId = Tenant.Default, ModelId = "mdl_1", RequestJson = """{"model":"mdl_1"}""", Priority = 5, CreatedAt = TimeProvider.System.GetUtcNow(), ExpiresAt = expiresAt },
            _ => Task.CompletedTask,
            Cancellation);
}
