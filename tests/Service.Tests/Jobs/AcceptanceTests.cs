using Condense.Service.Access;
using System.Collections.Concurrent;
using Condense.Service.Jobs;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;
using Quartz;
using Xunit;

namespace Condense.Service.Tests.Jobs;

public sealed class AcceptanceTests
{
    private const int Accepts = 1000;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_rollback_leaves_neither_row_nor_event_nor_trigger()
    {
        // Without a worker: a trigger that outlived the rollback would fire and be gone before anyone counts.
        await using var service = await RunningService.StartAsync("--Role=Api");
        await using var scope = service.Scope();
        var ledger = scope.ServiceProvider.GetRequiredService<JobLedger>();
        var transaction = scope.ServiceProvider.GetRequiredService<WriteTransaction>();
        var triggers = scope.ServiceProvider.GetRequiredService<WorkTriggers>();
        var db = scope.ServiceProvider.GetRequiredService<CondenseDbContext>();

        await Assert.ThrowsAsync<InvalidOperationException>(() => transaction.RunAsync<int>(
            async (scheduler, cancel) =>
            {
                var job = NewJob("job_LOST");
                db.Add(job);
                await db.SaveChangesAsync(cancel);
                await triggers.CompressAsync(scheduler, job, cancel);
                throw new InvalidOperationException("after everything");
            },
            Cancellation));
        Assert.Equal((0, 0, 0), await CountAsync(service));

        await ledger.AcceptAsync(NewJob("job_KEPT"), _ => Task.CompletedTask, Cancellation);
        Assert.Equal((1, 1, 1), await CountAsync(service));
    }

    [Fact]
    public async Task A_thousand_concurrent_requests_are_all_accepted_once()
    {
        await using var service = await RunningService.StartAsync("--Role=Api");
        await using (var scope = service.Scope())
        {
            // Ready without a worker that reads it.
            var db = scope.ServiceProvider.GetRequiredService<CondenseDbContext>();
            using var uploaded = await service.Api.UploadAsync(SampleModels.Layers(1, 64, 48));
            await ApiClient.CreatedAsync(uploaded);
            await db.Models.ExecuteUpdateAsync(set => set.SetProperty(row => row.State, Condense.Service.Library.ModelState.Ready), Cancellation);
        }

        string model = (string)(await service.Api.GetAsync("/v1/models"))["data"]![0]!["id"]!;
        var ids = new ConcurrentBag<string>();
        var milliseconds = new ConcurrentBag<double>();
        var ends = new ConcurrentBag<long>();
        await Task.WhenAll(Enumerable.Range(0, Accepts).Select(async i =>
        {
            long start = TimeProvider.System.GetTimestamp();
            ids.Add(await service.Api.AddJobAsync(model, 2, priority: i % 10));
            milliseconds.Add(TimeProvider.System.GetElapsedTime(start).TotalMilliseconds);
            ends.Add(TimeProvider.System.GetTimestamp());
        }));

        double[] sorted = [.. milliseconds.Order()];
        long[] ended = [.. ends.Order()];
        double longestPause = ended.Zip(ended.Skip(1), (one, next) => TimeProvider.System.GetElapsedTime(one, next).TotalMilliseconds).Max();
        TestContext.Current.SendDiagnosticMessage(
            $"{Accepts} concurrent accepts: p50 {sorted[Accepts / 2]:F0} ms, p99 {sorted[Accepts * 99 / 100]:F0} ms, max {sorted[^1]:F0} ms, longest time without any {longestPause:F0} ms");
        Assert.Equal(Accepts, ids.Distinct(StringComparer.Ordinal).Count());
        Assert.Equal((Accepts, Accepts, Accepts), await CountAsync(service));
    }

    [Fact]
    public async Task A_model_that_is_being_validated_is_not_ready()
    {
        await using var service = await RunningService.StartAsync("--Role=Api");
        using var uploaded = await service.Api.UploadAsync(SampleModels.Layers(1, 8, 8));
        string model = (string)(await ApiClient.CreatedAsync(uploaded))["id"]!;
        using var job = await service.Api.SendAsync(HttpMethod.Post, "/v1/jobs", ApiClient.Json($$"""{"model":"{{model}}","target":{"ratio":2} }"""));
        Assert.True((bool)(await ApiClient.ProblemAsync(job, 409, "model_not_ready"))["retryable"]!);
        using var layers = await service.Api.SendAsync(HttpMethod.Get, $"/v1/models/{model}/layers");
        await ApiClient.ProblemAsync(layers, 409, "model_not_ready");
    }

    [Fact]
    public async Task Higher_priorities_start_first()
    {
        await using var service = await RunningService.StartAsync();
        string model = await service.Api.AddModelAsync(SampleModels.Layers(60, 256, 256));
        string small = await service.Api.AddModelAsync(SampleModels.Layers(1, 32, 32));

        // One job keeps the only worker busy while the others line up.
        string first = await service.Api.AddJobAsync(model, 3);
        await service.Api.UntilAsync($"/v1/jobs/{first}", job => (string?)job["state"] == "running");
        var priorities = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int i = 0; i < 10; i++)
        {
            priorities.Add(await service.Api.AddJobAsync(small, 2, i * 7 % 10), i * 7 % 10);
        }

        (await service.Api.SendAsync(HttpMethod.Post, $"/v1/jobs/{first}/cancel")).EnsureSuccessStatusCode();
        var started = new List<(string At, int Priority)>();
        foreach (var (id, priority) in priorities)
        {
            started.Add(((string)(await service.Api.EndAsync(id))["timings"]!["startedAt"]!, priority));
        }

        int[] order = [.. started.OrderBy(pair => pair.At, StringComparer.Ordinal).Select(pair => pair.Priority)];
        Assert.Equal(order.OrderDescending(), order);
    }

    private static Job NewJob(string id) => new()
    {
        Id = id,
        TenantId = Tenant.Default,
        ModelId = "mdl_1",
        RequestJson = """{"model":"mdl_1"}""",
        Priority = 5,
        CreatedAt = TimeProvider.System.GetUtcNow(),
    };

    private static async Task<(int Jobs, int Events, int Triggers)> CountAsync(RunningService service)
    {
        await using var scope = service.Scope();
        var db = scope.ServiceProvider.GetRequiredService<CondenseDbContext>();
        var scheduler = await service.Services.GetRequiredService<ISchedulerFactory>().GetScheduler(Cancellation);
        var scheduled = await WorkTriggers.ScheduledAsync(scheduler, CompressionJob.Key, Cancellation);
        return (await db.Jobs.CountAsync(Cancellation), await db.Events.CountAsync(Cancellation), scheduled.Count);
    }
}
