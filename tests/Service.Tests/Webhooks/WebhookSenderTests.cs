using Condense.Service.Access;
using Condense.Service.Storage;
using Condense.Service.Webhooks;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace Condense.Service.Tests.Webhooks;

/// <summary>Senders at work: several, slow receivers, and a death at the worst moment.</summary>
public sealed class WebhookSenderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("condense-webhooks-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_process_that_dies_between_sending_and_writing_it_down_sends_the_same_message_again()
    {
        var arrived = new TaskCompletionSource();
        await using var receiver = await WebhookReceiver.StartAsync(async (http, _) =>
        {
            // The receiver has the message; the sender never learns of it.
            arrived.TrySetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, http.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        });
        string[] settings = [.. receiver.Settings, "--Webhooks:Timeout=00:05:00"];
        string job;
        await using (var first = await ServiceProcess.StartReadyAsync(_folder, settings))
        {
            string model = await first.Api.AddModelAsync(SampleModels.Layers(1, 32, 32));
            job = await first.Api.AddJobAsync($$"""{"model":"{{model}}","target":{"ratio":2},"webhook":{"url":"{{receiver.Url()}}"} }""");
            await arrived.Task.WaitAsync(TimeSpan.FromSeconds(90), TimeProvider.System, Cancellation);
            await first.KillAsync();
        }

        receiver.Behaviour = (_, _) => Task.CompletedTask;

        // The claim of the dead process runs out after its five minutes and a margin. The test turns the clock of the row instead of waiting.
        await using (var source = new SqliteDataSource($"Data Source={Path.Combine(_folder, "data", "condense.db")}"))
        await using (var connection = await source.OpenConnectionAsync(Cancellation))
        await using (var command = connection.CreateCommand())
        {
            command.CommandText = "UPDATE delivery SET due_at = due_at - 315000 WHERE state = 'pending' AND due_at > 315000";
            Assert.Equal(1, await command.ExecuteNonQueryAsync(Cancellation));
        }

        await using var second = await ServiceProcess.StartReadyAsync(_folder, settings);
        var messages = await receiver.UntilAsync(2);
        Assert.Equal(messages[0].Id, messages[1].Id);
        Assert.Equal(messages[0].Body, messages[1].Body);
        Assert.Equal(job, (string?)messages[0].Document["data"]!["id"]);
        var delivery = (await second.Api.UntilAsync("/v1/webhooks/default/deliveries", page => (string?)page["data"]![0]!["state"] == "succeeded"))["data"]![0]!;
        Assert.Single(delivery["attempts"]!.AsArray());
    }

    [Fact]
    public async Task A_receiver_that_hangs_keeps_no_other_waiting_and_is_never_overrun()
    {
        var released = new TaskCompletionSource();
        int running = 0;
        int most = 0;
        await using var receiver = await WebhookReceiver.StartAsync(async (_, message) =>
        {
            if (message.Path == "/hangs")
            {
                int now = Interlocked.Increment(ref running);
                InterlockedMax(ref most, now);
                await released.Task;
                Interlocked.Decrement(ref running);
            }
        });
        await using var service = await RunningService.StartAsync([.. receiver.Settings, "--Webhooks:Parallelism=16", "--Webhooks:ParallelismPerReceiver=4", "--Webhooks:Timeout=00:02:00"]);
        await WebhookTests.AddAsync(service, receiver.Url("/hangs"), "model.ready");
        await WebhookTests.AddAsync(service, receiver.Url("/answers"), "model.ready");
        for (int i = 0; i < 30; i++)
        {
            await service.Api.AddModelAsync(SampleModels.Layers(1, 8, 8, seed: i));
        }

        // All of the others, while nothing of the hanging one comes back.
        await receiver.UntilAsync(30, message => message.Path == "/answers");
        await receiver.UntilAsync(4, message => message.Path == "/hangs");
        Assert.Equal(4, Volatile.Read(ref most));
        released.SetResult();
        await receiver.UntilAsync(30, message => message.Path == "/hangs");
        Assert.Equal(4, Volatile.Read(ref most));
    }

    [Fact]
    public async Task Two_senders_on_one_database_send_each_message_once()
    {
        const int Messages = 200;
        await using var receiver = await WebhookReceiver.StartAsync();
        string[] settings = [.. await RunningService.PostgresSettingsAsync(), .. receiver.Settings];
        await using var first = await RunningService.StartAsync(settings);
        await using var second = await RunningService.StartAsync(settings);
        await using (var writing = first.Scope())
        {
            var rows = writing.ServiceProvider.GetRequiredService<CondenseDbContext>();
            for (int i = 0; i < Messages; i++)
            {
                rows.Add(new Delivery
                {
                    Id = first.Services.GetRequiredService<IdSource>().Next("dlv_"),
                    TenantId = Tenant.Default,
                    Url = receiver.Url($"/{i}"),
                    Type = "job.succeeded",
                    Payload = """{"type":"job.succeeded"}""",
                    State = "pending",
                    DueAt = 0,
                    CreatedAt = TimeProvider.System.GetUtcNow(),
                });
            }

            await rows.SaveChangesAsync(Cancellation);
        }

        await receiver.UntilAsync(Messages);
        await using var scope = first.Scope();
        var db = scope.ServiceProvider.GetRequiredService<CondenseDbContext>();
        long start = TimeProvider.System.GetTimestamp();
        while (await db.Deliveries.CountAsync(row => row.State == "succeeded" && row.AttemptCount == 1, Cancellation) < Messages)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(60), "Not every delivery has succeeded at its first attempt.");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, Cancellation);
        }

        Assert.Equal(Messages, receiver.Received.Count);
        Assert.Equal(Messages, receiver.Received.Select(message => message.Id).Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public async Task An_orderly_stop_gives_a_running_attempt_back_uncharged()
    {
        var arrived = new TaskCompletionSource();
        await using var receiver = await WebhookReceiver.StartAsync(async (http, _) =>
        {
            arrived.TrySetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, http.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        });
        string[] settings = [.. receiver.Settings, "--Webhooks:Timeout=00:05:00"];
        await using (var first = await ServiceProcess.StartReadyAsync(_folder, settings))
        {
            string model = await first.Api.AddModelAsync(SampleModels.Layers(1, 32, 32));
            await first.Api.AddJobAsync($$"""{"model":"{{model}}","target":{"ratio":2},"webhook":{"url":"{{receiver.Url()}}","events":["job.succeeded"]} }""");
            await arrived.Task.WaitAsync(TimeSpan.FromSeconds(90), TimeProvider.System, Cancellation);
            var (code, errors) = await first.TerminateAsync();
            Assert.Equal((0, ""), (code, errors));
        }

        receiver.Behaviour = (_, _) => Task.CompletedTask;
        await using var second = await ServiceProcess.StartReadyAsync(_folder, settings);
        await receiver.UntilAsync(2);
        var delivery = (await second.Api.UntilAsync("/v1/webhooks/default/deliveries", page => (string?)page["data"]![0]!["state"] == "succeeded"))["data"]![0]!;
        Assert.Single(delivery["attempts"]!.AsArray());
    }

    private static void InterlockedMax(ref int most, int value)
    {
        int seen = Volatile.Read(ref most);
        while (value > seen)
        {
            int before = Interlocked.CompareExchange(ref most, value, seen);
            if (before == seen)
            {
                return;
            }

            seen = before;
        }
    }
}
