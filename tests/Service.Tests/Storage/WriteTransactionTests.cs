using Condense.Service.Access;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace Condense.Service.Tests.Storage;

public sealed class WriteTransactionTests
{
    private const int Rounds = 40;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task On_PostgreSQL_one_transaction_does_not_wait_for_another()
    {
        await using var service = await RunningService.StartAsync(["--Role=Api", .. await RunningService.PostgresSettingsAsync()]);
        var first = new TaskCompletionSource();
        var second = new TaskCompletionSource();
        await Task.WhenAll(
            RunAsync(service, async (_, _) =>
            {
                first.SetResult();
                await second.Task.WaitAsync(Cancellation);
            }),
            RunAsync(service, async (_, _) =>
            {
                second.SetResult();
                await first.Task.WaitAsync(Cancellation);
            }));
    }

    [Fact]
    public async Task Transactions_that_deadlock_both_succeed()
    {
        await using var service = await RunningService.StartAsync(["--Role=Api", .. await RunningService.PostgresSettingsAsync()]);
        await RunAsync(service, (db, _) =>
        {
            db.Add(new Tenant { Id = "a", CreatedAt = default });
            db.Add(new Tenant { Id = "b", CreatedAt = default });
            return Task.CompletedTask;
        });
        int runs = 0;
        var firstLocks = new[] { new TaskCompletionSource(), new TaskCompletionSource() };
        await Task.WhenAll(CrossAsync("a", "b", 0), CrossAsync("b", "a", 1));
        Assert.True(runs > 2, "There was no deadlock.");

        Task CrossAsync(string one, string other, int index) => RunAsync(service, async (db, cancel) =>
        {
            Interlocked.Increment(ref runs);
            await LockAsync(db, one, cancel);
            firstLocks[index].TrySetResult();
            await Task.WhenAll(firstLocks.Select(source => source.Task)).WaitAsync(cancel);
            await LockAsync(db, other, cancel);
        });

        static Task<int> LockAsync(CondenseDbContext db, string id, CancellationToken cancel) =>
            db.Database.ExecuteSqlAsync($"UPDATE tenant SET id = id WHERE id = {id}", cancel);
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgres")]
    public async Task The_same_bytes_may_come_and_go_at_once_and_every_model_keeps_its_own(string database)
    {
        await using var service = await RunningService.StartAsync(["--Role=Api", .. database == "postgres" ? await RunningService.PostgresSettingsAsync() : ["--Storage:Provider=Sqlite"]]);
        byte[] bytes = SampleModels.Layers(1, 16, 16);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ =>
        {
            for (int i = 0; i < Rounds; i++)
            {
                using var created = await service.Api.UploadAsync(bytes);
                string id = (string)(await ApiClient.CreatedAsync(created))["id"]!;
                using var content = await service.Api.SendAsync(HttpMethod.Get, $"/v1/models/{id}/content");
                Assert.True(content.IsSuccessStatusCode, await content.Content.ReadAsStringAsync(Cancellation));
                Assert.Equal(bytes, await content.Content.ReadAsByteArrayAsync(Cancellation));
                using var deleted = await service.Api.SendAsync(HttpMethod.Delete, $"/v1/models/{id}");
                Assert.True(deleted.IsSuccessStatusCode, await deleted.Content.ReadAsStringAsync(Cancellation));
            }
        }));
        Assert.Equal(0, await service.CopiesAsync(bytes));
        Assert.Empty(service.Files("staging"));
    }

    private static async Task RunAsync(RunningService service, Func<CondenseDbContext, CancellationToken, Task> work)
    {
        await using var scope = service.Scope();
        var db = scope.ServiceProvider.GetRequiredService<CondenseDbContext>();
        await scope.ServiceProvider.GetRequiredService<WriteTransaction>().RunAsync<int>(
            async cancel =>
            {
                await work(db, cancel);
                return 0;
            },
            Cancellation);
    }
}
