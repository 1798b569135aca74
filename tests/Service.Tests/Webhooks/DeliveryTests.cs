using Condense.Service.Access;
using Condense.Service.Storage;
using Condense.Service.Webhooks;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace Condense.Service.Tests.Webhooks;

/// <summary>What becomes of deliveries over hours and days, by a clock that the test turns; on both databases.</summary>
public sealed class DeliveryTests
{
    private static readonly DateTimeOffset s_start = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly double[] s_waits = [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string> Databases => ["sqlite", "postgres"];

    [Theory]
    [MemberData(nameof(Databases))]
    public async Task Nine_failures_of_every_kind_and_then_a_success_are_one_message_ten_times(string database)
    {
        int attempt = 0;
        await using var receiver = await WebhookReceiver.StartAsync(async (http, _) =>
        {
            switch (attempt++)
            {
                case 0:
                    http.Response.StatusCode = 500;
                    break;
                case 1:
                    http.Response.StatusCode = 302;
                    http.Response.Headers.Location = "/elsewhere";
                    break;
                case 2:
                    http.Abort();
                    break;
                case 3:
                    await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, http.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    break;
                case < 9:
                    http.Response.StatusCode = 400 + attempt;
                    break;
            }
        });
        await using var service = await StartAsync(database, receiver, "--Webhooks:Timeout=00:00:01");
        string id = await AddDeliveryAsync(service, receiver);
        long now = s_start.ToUnixTimeMilliseconds();
        for (int i = 0; i < DeliverySchedule.Attempts; i++)
        {
            var sent = Assert.Single(await SendDueAsync(service, now));
            Assert.Equal(i == 9, sent!.Succeeded);
            var row = await FindAsync(service, id);
            Assert.Equal((i + 1, i == 9 ? "succeeded" : "pending"), (row.AttemptCount, row.State));
            if (i < 9)
            {
                long end = now + sent.Milliseconds;
                Assert.InRange((row.DueAt - end) / 1000.0, s_waits[i], s_waits[i] * 1.1);

                // A millisecond early is too early.
                Assert.Empty(await SendDueAsync(service, row.DueAt - 1));
                now = row.DueAt;
            }
        }

        Assert.Equal(DeliverySchedule.Attempts, receiver.Received.Count);
        Assert.Single(receiver.Received.Select(message => (message.Id, message.Body)).Distinct());
        Assert.Equal(id, receiver.Received[0].Id);
        Assert.Equal(DeliverySchedule.Attempts, receiver.Received.Select(message => message.Headers["webhook-timestamp"]).Distinct(StringComparer.Ordinal).Count());
        Assert.Empty(await SendDueAsync(service, now + 1_000_000_000));
        Assert.Null((await FindEndpointAsync(service)).FailingSince);
    }

    [Theory]
    [MemberData(nameof(Databases))]
    public async Task After_ten_failures_a_delivery_is_given_up_and_a_replay_begins_anew(string database)
    {
        await using var receiver = await WebhookReceiver.StartAsync(500);
        await using var service = await StartAsync(database, receiver);
        string id = await AddDeliveryAsync(service, receiver);
        for (int i = 0; i < DeliverySchedule.Attempts; i++)
        {
            Assert.Single(await SendDueAsync(service, (await FindAsync(service, id)).DueAt + (i == 0 ? s_start.ToUnixTimeMilliseconds() : 0)));
        }

        Assert.Equal("failed", (await FindAsync(service, id)).State);
        await using (var scope = service.Scope())
        {
            await scope.ServiceProvider.GetRequiredService<WebhookRegister>().ReplayAsync((await FindEndpointAsync(service)).Id, id, Cancellation);
        }

        Assert.Single(await SendDueAsync(service, s_start.AddDays(4).ToUnixTimeMilliseconds()));
        var row = await FindAsync(service, id);
        Assert.Equal(("pending", 1), (row.State, row.AttemptCount));
        Assert.Equal(11, DeliveryResponse.Of(row).Attempts.Count);
        Assert.Single(receiver.Received.Select(message => message.Id).Distinct(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_receiver_may_ask_for_a_longer_wait_but_not_for_ever_and_not_for_a_shorter_one()
    {
        string retryAfter = "3600";
        await using var receiver = await WebhookReceiver.StartAsync((http, _) =>
        {
            http.Response.StatusCode = 503;
            http.Response.Headers.RetryAfter = retryAfter;
            return Task.CompletedTask;
        });
        await using var service = await StartAsync("sqlite", receiver);
        string id = await AddDeliveryAsync(service, receiver);
        long now = s_start.ToUnixTimeMilliseconds();
        foreach (var (asked, seconds) in new (string, double)[] { ("3600", 3600), ("99999999", 86400), ("1", 1800), ("Fri, 01 Jan 2100 00:00:00 GMT", 86400) })
        {
            retryAfter = asked;
            var sent = Assert.Single(await SendDueAsync(service, now));
            long due = (await FindAsync(service, id)).DueAt;
            Assert.InRange((due - now - sent!.Milliseconds) / 1000.0, seconds, seconds * 1.1);
            now = due;
        }
    }

    [Theory]
    [MemberData(nameof(Databases))]
    public async Task A_receiver_that_is_gone_is_left_alone_at_once_until_somebody_enables_it(string database)
    {
        await using var receiver = await WebhookReceiver.StartAsync(410);
        await using var service = await StartAsync(database, receiver);
        string first = await AddDeliveryAsync(service, receiver);
        string second = await AddDeliveryAsync(service, receiver);
        long now = s_start.ToUnixTimeMilliseconds();
        await using var scope = service.Scope();
        var queue = scope.ServiceProvider.GetRequiredService<DeliveryQueue>();
        var claims = await queue.ClaimAsync(now, now + 30_000, [], 1, 1, Cancellation);
        Assert.True((await AttemptAsync(service, Assert.Single(claims), now))!.IsGone);
        Assert.Equal("gone", (await FindEndpointAsync(service)).DisabledReason);
        Assert.Null(Assert.Single(await SendDueAsync(service, now)));
        Assert.Equal(("failed", "dropped"), ((await FindAsync(service, first)).State, (await FindAsync(service, second)).State));
        Assert.Single(receiver.Received);

        // No event is written for a disabled endpoint, and none is held back for later.
        using var model = await service.Api.UploadAsync(SampleModels.Layers(1, 16, 16));
        await ApiClient.CreatedAsync(model);
        receiver.Behaviour = (_, _) => Task.CompletedTask;
        var register = scope.ServiceProvider.GetRequiredService<WebhookRegister>();
        string endpoint = (await FindEndpointAsync(service)).Id;
        await register.ChangeAsync(endpoint, new WebhookChanges { Enabled = true }, _ => { }, Cancellation);
        await register.ReplayAsync(endpoint, second, Cancellation);
        Assert.True(Assert.Single(await SendDueAsync(service, now))!.Succeeded);
        Assert.Equal("succeeded", (await FindAsync(service, second)).State);
    }

    [Theory]
    [MemberData(nameof(Databases))]
    public async Task Five_days_of_nothing_but_failures_disable_an_endpoint_and_one_success_saves_it(string database)
    {
        await using var receiver = await WebhookReceiver.StartAsync(500);
        await using var service = await StartAsync(database, receiver);
        foreach (var (day, succeeds, reason) in new (double, bool, string?)[]
                 {
                     (0, false, null), (4.9, false, null), (4.95, true, null), (5.1, false, null), (10, false, null), (10.2, false, "failing"),
                 })
        {
            await AddDeliveryAsync(service, receiver);
            receiver.Behaviour = (http, _) =>
            {
                http.Response.StatusCode = succeeds ? 200 : 500;
                return Task.CompletedTask;
            };

            // Only the new one: the older ones would come back, too.
            await using var scope = service.Scope();
            var queue = scope.ServiceProvider.GetRequiredService<DeliveryQueue>();
            long now = s_start.AddDays(day).ToUnixTimeMilliseconds();
            var claim = Assert.Single(await queue.ClaimAsync(0, now + 30_000, [], 1, 1, Cancellation));
            Assert.Equal(succeeds, (await AttemptAsync(service, claim, now))!.Succeeded);
            Assert.Equal(reason, (await FindEndpointAsync(service)).DisabledReason);
        }
    }

    [Theory]
    [MemberData(nameof(Databases))]
    public async Task Who_has_lost_a_claim_writes_nothing_and_the_message_comes_again_under_the_same_id(string database)
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var service = await StartAsync(database, receiver);
        string id = await AddDeliveryAsync(service, receiver);
        await using var scope = service.Scope();
        var queue = scope.ServiceProvider.GetRequiredService<DeliveryQueue>();
        var slow = Assert.Single(await queue.ClaimAsync(1000, 31_000, [], 8, 64, Cancellation));
        Assert.Empty(await queue.ClaimAsync(30_999, 99_000, [], 8, 64, Cancellation));
        var next = Assert.Single(await queue.ClaimAsync(31_000, 61_000, [], 8, 64, Cancellation));
        Assert.Equal(slow.Id, next.Id);
        await AttemptAsync(service, slow, 1000);
        Assert.Equal(("pending", 0), ((await FindAsync(service, id)).State, (await FindAsync(service, id)).AttemptCount));
        await AttemptAsync(service, next, 31_000);
        Assert.Equal(("succeeded", 1), ((await FindAsync(service, id)).State, (await FindAsync(service, id)).AttemptCount));
        Assert.Equal([id, id], receiver.Received.Select(message => message.Id));
    }

    [Theory]
    [MemberData(nameof(Databases))]
    public async Task A_claim_takes_a_share_of_each_receiver_and_nothing_of_those_that_are_busy(string database)
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var service = await StartAsync(database, receiver);
        for (int i = 0; i < 6; i++)
        {
            await AddDeliveryAsync(service, receiver);
            await AddDeliveryAsync(service, null, "https://slow.example.com/a?b=//x/");
            await AddDeliveryAsync(service, null, "https://quick.example.com:8443/c");
        }

        await using var scope = service.Scope();
        var queue = scope.ServiceProvider.GetRequiredService<DeliveryQueue>();
        Delivery[] running = [New("https://slow.example.com/1"), New("https://slow.example.com/2"), New("https://quick.example.com:8443/3")];
        var claims = await queue.ClaimAsync(1, 30_000, running, 2, 64, Cancellation);
        string endpoint = (await FindEndpointAsync(service)).Id;
        Assert.Equal([endpoint, endpoint, "quick.example.com:8443"], claims.Select(DeliveryQueue.ReceiverOf).OrderDescending(StringComparer.Ordinal));
        var more = await queue.ClaimAsync(1, 30_000, [], 64, 5, Cancellation);
        Assert.Equal(5, more.Count);
        Assert.Empty(more.Select(claim => claim.Id).Intersect(claims.Select(claim => claim.Id), StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Databases))]
    public async Task A_tenant_with_thousands_of_messages_keeps_no_other_waiting(string database)
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var service = await StartAsync(database, receiver);
        await using var scope = service.Scope();
        var db = scope.ServiceProvider.GetRequiredService<CondenseDbContext>();
        db.Add(new Tenant { Id = "other", CreatedAt = s_start });
        var many = Enumerable.Range(0, 1_500).Select(i => New($"https://a{i / 2}.example/", service)).ToList();
        var few = Enumerable.Range(0, 3).Select(i => New("https://ci.example.com/", service, "other")).ToList();
        db.AddRange([.. many, .. few]);
        await db.SaveChangesAsync(Cancellation);
        var queue = scope.ServiceProvider.GetRequiredService<DeliveryQueue>();

        // Turn by turn; and what runs already counts as turns that were taken.
        var claims = await queue.ClaimAsync(1, 30_000, [], 8, 4, Cancellation);
        Assert.Equal(["default", "default", "other", "other"], claims.Select(claim => claim.TenantId).Order(StringComparer.Ordinal));
        var next = Assert.Single(await queue.ClaimAsync(1, 30_000, [.. claims.Where(claim => claim.TenantId == "default")], 8, 1, Cancellation));
        Assert.Equal(few[2].Id, next.Id);

        // Nobody else waits: one may have all.
        Assert.Equal(64, (await queue.ClaimAsync(1, 30_000, [], 8, 64, Cancellation)).Count);
    }

    [Fact]
    public async Task An_event_and_its_deliveries_are_written_together_or_not_at_all()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var service = await StartAsync("sqlite", receiver);
        await AddDeliveryAsync(service, receiver);
        await using var scope = service.Scope();
        var db = scope.ServiceProvider.GetRequiredService<CondenseDbContext>();
        await db.Deliveries.ExecuteDeleteAsync(Cancellation);
        var ledger = scope.ServiceProvider.GetRequiredService<Condense.Service.Jobs.JobLedger>();
        var job = new Condense.Service.Jobs.Job
        {
            Id = "job_A", TenantId = Tenant.Default, ModelId = "mdl_1", RequestJson = """{"model":"mdl_1"}""", Priority = 5, CreatedAt = s_start, TraceParent = "00-1-2-01",
        };
        await ledger.AcceptAsync(job, _ => Task.CompletedTask, Cancellation);
        var queued = await db.Deliveries.AsNoTracking().SingleAsync(Cancellation);
        Assert.Equal(("job.queued", "00-1-2-01"), (queued.Type, queued.TraceParent));

        var transaction = scope.ServiceProvider.GetRequiredService<WriteTransaction>();
        await Assert.ThrowsAsync<InvalidOperationException>(() => transaction.RunAsync<int>(
            async cancel =>
            {
                var item = new Condense.Service.Jobs.JobEvent { JobId = "job_A", Sequence = 2, Id = "evt_2", Type = "job.started", At = s_start };
                db.Add(item);
                await scope.ServiceProvider.GetRequiredService<Outbox>().AddAsync(job, item, cancel);
                await db.SaveChangesAsync(cancel);
                Assert.Equal(2, await db.Deliveries.CountAsync(cancel));
                throw new InvalidOperationException("after everything");
            },
            Cancellation));
        Assert.Equal((1, 1), (await db.Deliveries.CountAsync(Cancellation), await db.Events.CountAsync(Cancellation)));
    }

    [Fact]
    public void Jitter_is_the_same_for_the_same_delivery_and_spreads_many()
    {
        Assert.Equal(DeliverySchedule.After("dlv_1", 1, null), DeliverySchedule.After("dlv_1", 1, null));
        double[] seconds = [.. Enumerable.Range(0, 1000).Select(i => DeliverySchedule.After($"dlv_{i}", 9, null)!.Value.TotalSeconds)];
        Assert.All(seconds, wait => Assert.InRange(wait, 86400, 86400 * 1.1));
        Assert.InRange(seconds.Average(), 86400 * 1.045, 86400 * 1.055);
        Assert.Null(DeliverySchedule.After("dlv_1", 10, null));
    }

    [Fact]
    public async Task What_is_finished_is_forgotten_after_its_time_and_what_is_pending_is_not()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var service = await StartAsync("sqlite", receiver);
        string old = await AddDeliveryAsync(service, receiver);
        await SendDueAsync(service, s_start.ToUnixTimeMilliseconds());
        string pending = await AddDeliveryAsync(service, receiver);
        await using var scope = service.Scope();
        var queue = scope.ServiceProvider.GetRequiredService<DeliveryQueue>();
        Assert.Equal(0, await queue.ForgetAsync(s_start.AddSeconds(-1), Cancellation));
        Assert.Equal(1, await queue.ForgetAsync(s_start.AddDays(1), Cancellation));
        var db = scope.ServiceProvider.GetRequiredService<CondenseDbContext>();
        Assert.Equal(pending, (await db.Deliveries.AsNoTracking().SingleAsync(Cancellation)).Id);
        Assert.NotEqual(old, pending);
    }

    /// <summary>A service that takes events, and sends only what the test sends.</summary>
    private static async Task<RunningService> StartAsync(string database, WebhookReceiver receiver, params string[] settings) =>
        await RunningService.StartAsync(
            [.. database == "postgres" ? await RunningService.PostgresSettingsAsync() : ["--Storage:Provider=Sqlite"], "--Role=Api", .. receiver.Settings, .. settings]);

    /// <summary>Adds a delivery for the one endpoint, or for an address; its id.</summary>
    private static async Task<string> AddDeliveryAsync(RunningService service, WebhookReceiver? receiver, string? url = null)
    {
        await using var scope = service.Scope();
        var db = scope.ServiceProvider.GetRequiredService<CondenseDbContext>();
        string? endpoint = null;
        if (receiver is not null)
        {
            endpoint = await db.WebhookEndpoints.Select(row => row.Id).SingleOrDefaultAsync(Cancellation)
                ?? (string)(await WebhookTests.AddAsync(service, receiver.Url()))["id"]!;
        }

        var delivery = New(url, service, endpoint: endpoint);
        db.Add(delivery);
        await db.SaveChangesAsync(Cancellation);
        return delivery.Id;
    }

    private static Delivery New(string? url, RunningService? service = null, string tenant = Tenant.Default, string? endpoint = null) => new()
    {
        Id = service?.Services.GetRequiredService<IdSource>().Next("dlv_") ?? url!,
        TenantId = tenant,
        EndpointId = endpoint,
        Url = url,
        Type = "job.succeeded",
        Payload = """{"type":"job.succeeded"}""",
        State = "pending",
        DueAt = 0,
        CreatedAt = s_start,
    };

    /// <summary>Sends everything that is due at a moment.</summary>
    private static async Task<IReadOnlyList<DeliveryAttempt?>> SendDueAsync(RunningService service, long now)
    {
        await using var scope = service.Scope();
        var claims = await scope.ServiceProvider.GetRequiredService<DeliveryQueue>().ClaimAsync(now, now + 30_000, [], 64, 64, Cancellation);
        var attempts = new List<DeliveryAttempt?>();
        foreach (var claim in claims)
        {
            attempts.Add(await AttemptAsync(service, claim, now));
        }

        return attempts;
    }

    private static Task<DeliveryAttempt?> AttemptAsync(RunningService service, Delivery claim, long now) =>
        service.Services.GetRequiredService<WebhookDispatcher>().AttemptAsync(claim, now, Cancellation);

    private static async Task<Delivery> FindAsync(RunningService service, string id)
    {
        await using var scope = service.Scope();
        return await scope.ServiceProvider.GetRequiredService<CondenseDbContext>().Deliveries.AsNoTracking().SingleAsync(row => row.Id == id, Cancellation);
    }

    private static async Task<WebhookEndpoint> FindEndpointAsync(RunningService service)
    {
        await using var scope = service.Scope();
        return await scope.ServiceProvider.GetRequiredService<CondenseDbContext>().WebhookEndpoints.AsNoTracking().SingleAsync(Cancellation);
    }
}
