using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Xunit;

namespace Condense.Service.Tests.Webhooks;

/// <summary>From the event to the receiver, over real HTTP.</summary>
public sealed class WebhookTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_pipeline_is_told_of_its_model_and_its_job_by_messages_that_verify()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var service = await RunningService.StartAsync(receiver.Settings);
        var endpoint = await AddAsync(service, receiver.Url("/all"));
        string model = await service.Api.AddModelAsync(SampleModels.Layers(2, 48, 32));
        string job = await service.Api.AddJobAsync($$"""{"model":"{{model}}","target":{"ratio":2},"webhook":{"url":"{{receiver.Url("/own")}}"} }""");
        Assert.Equal("succeeded", (string?)(await service.Api.EndAsync(job))["state"]);

        var own = Assert.Single(await receiver.UntilAsync(1, message => message.Path == "/own"));
        var all = await receiver.UntilAsync(4, message => message.Path == "/all");
        Assert.Equal(["job.queued", "job.started", "job.succeeded", "model.ready"], all.Select(message => message.Type).Order(StringComparer.Ordinal));
        string defaultSecret = (string)(await service.Api.GetAsync("/v1/webhooks/default/secret"))["secret"]!;
        Assert.Equal("job.succeeded", await StandardWebhooks.VerifyAsync(defaultSecret, own));
        Assert.Equal(all[0].Type, await StandardWebhooks.VerifyAsync((string)endpoint["secret"]!, all[0]));
        Assert.StartsWith("error: No matching signature", await StandardWebhooks.VerifyAsync((string)endpoint["secret"]!, own), StringComparison.Ordinal);
        Assert.StartsWith(
            "error: No matching signature",
            await StandardWebhooks.VerifyAsync(defaultSecret, own, own.Body.Replace("succeeded", "canceled_", StringComparison.Ordinal)),
            StringComparison.Ordinal);

        var data = own.Document["data"]!;
        Assert.Equal((job, "succeeded", model, "metTarget"), ((string?)data["id"], (string?)data["state"], (string?)data["model"], (string?)data["outcome"]));
        Assert.True((double)data["ratio"]! >= 2);
        Assert.Equal("succeeded", (string?)(await service.Api.GetAsync((string)data["links"]!["self"]!))["state"]);
        Assert.NotNull((await service.Api.GetAsync((string)data["links"]!["model"]!))["sha256"]);
        var sequences = all.Where(message => message.Type.StartsWith("job", StringComparison.Ordinal)).ToDictionary(message => message.Type, message => (int)message.Document["data"]!["sequence"]!, StringComparer.Ordinal);
        Assert.True(sequences["job.queued"] == 1 && sequences["job.started"] == 2 && sequences["job.succeeded"] > 2);
        Assert.All(receiver.Received, message => Assert.InRange(Encoding.UTF8.GetByteCount(message.Body), 1, 2047));
        Assert.Equal(receiver.Received.Count, receiver.Received.Select(message => message.Id).Distinct(StringComparer.Ordinal).Count());

        var deliveries = (await service.Api.GetAsync($"/v1/webhooks/{endpoint["id"]}/deliveries?state=succeeded&limit=2"))!;
        Assert.Equal(2, deliveries["data"]!.AsArray().Count);
        Assert.NotNull(deliveries["nextCursor"]);
    }

    [Fact]
    public async Task A_rejected_model_a_canceled_job_and_progress_on_demand_are_told()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var service = await RunningService.StartAsync(receiver.Settings);
        var endpoint = await AddAsync(service, receiver.Url("/all"), "model.rejected");
        await service.Api.AddModelAsync(SampleModels.WithNaN(3), "rejected");
        var rejected = Assert.Single(await receiver.UntilAsync(1, message => message.Type == "model.rejected"));
        Assert.Equal("rejected", (string?)rejected.Document["data"]!["state"]);

        string model = await service.Api.AddModelAsync(SampleModels.Layers(60, 256, 256));
        string job = await service.Api.AddJobAsync(
            $$"""{"model":"{{model}}","target":{"ratio":3},"webhook":{"endpoint":"{{endpoint["id"]}}","events":["job.progress","job.canceled"]} }""");
        var progress = (await receiver.UntilAsync(1, message => message.Type == "job.progress"))[0].Document["data"]!;
        Assert.InRange((double)progress["fraction"]!, 0, 1);
        Assert.NotNull(progress["stage"]);
        (await service.Api.SendAsync(HttpMethod.Post, $"/v1/jobs/{job}/cancel")).EnsureSuccessStatusCode();
        Assert.Equal("canceled", (string?)(await receiver.UntilAsync(1, message => message.Type == "job.canceled"))[0].Document["data"]!["state"]);
        Assert.Equal(["job.canceled", "job.progress", "model.rejected"], receiver.Received.Select(message => message.Type).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task An_endpoint_that_a_job_names_and_that_wants_the_event_anyway_is_told_once()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var service = await RunningService.StartAsync(receiver.Settings);
        var endpoint = await AddAsync(service, receiver.Url(), "job.succeeded");
        string model = await service.Api.AddModelAsync(SampleModels.Layers(1, 32, 32));
        await service.Api.EndAsync(await service.Api.AddJobAsync($$"""{"model":"{{model}}","target":{"ratio":2},"webhook":{"endpoint":"{{endpoint["id"]}}"} }"""));
        await receiver.UntilAsync(1);
        Assert.Single((await service.Api.GetAsync($"/v1/webhooks/{endpoint["id"]}/deliveries"))["data"]!.AsArray());
    }

    [Fact]
    public async Task While_a_secret_rotates_the_old_one_and_the_new_one_verify()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var service = await RunningService.StartAsync(receiver.Settings);
        var endpoint = await AddAsync(service, receiver.Url());
        using var rotated = await service.Api.SendAsync(HttpMethod.Post, $"/v1/webhooks/{endpoint["id"]}/rotate-secret");
        string fresh = (string)JsonNode.Parse(await rotated.Content.ReadAsStringAsync(Cancellation))!["secret"]!;
        Assert.NotEqual((string?)endpoint["secret"], fresh);
        Assert.Equal("succeeded", (string?)(await TestAsync(service, endpoint))["state"]);
        var message = Assert.Single(receiver.Received);
        Assert.Equal(2, message.Headers["webhook-signature"].Split(' ').Length);
        Assert.Equal("webhook.test", await StandardWebhooks.VerifyAsync(fresh, message));
        Assert.Equal("webhook.test", await StandardWebhooks.VerifyAsync((string)endpoint["secret"]!, message));
    }

    [Fact]
    public async Task A_test_says_what_the_receiver_answered_and_is_not_repeated()
    {
        await using var receiver = await WebhookReceiver.StartAsync(503);
        await using var service = await RunningService.StartAsync(receiver.Settings);
        var endpoint = await AddAsync(service, receiver.Url());
        var failed = await TestAsync(service, endpoint);
        Assert.Equal(("failed", "webhook.test"), ((string?)failed["state"], (string?)failed["type"]));
        var attempt = Assert.Single(failed["attempts"]!.AsArray())!;
        Assert.Equal((503, "The receiver answered 503; only 2xx counts."), ((int)attempt["status"]!, (string?)attempt["error"]));
        Assert.Null((await service.Api.GetAsync($"/v1/webhooks/{endpoint["id"]}"))["failingSince"]);

        receiver.Behaviour = (_, _) => Task.CompletedTask;
        using var replayed = await service.Api.SendAsync(HttpMethod.Post, $"/v1/webhooks/{endpoint["id"]}/deliveries/{failed["id"]}/replay");
        Assert.Equal(HttpStatusCode.Accepted, replayed.StatusCode);
        var messages = await receiver.UntilAsync(2);
        Assert.Equal(messages[0].Id, messages[1].Id);
        Assert.Equal(messages[0].Body, messages[1].Body);
        var delivery = await service.Api.UntilAsync($"/v1/webhooks/{endpoint["id"]}/deliveries", page => (string?)page["data"]![0]!["state"] == "succeeded");
        Assert.Equal([503, 200], delivery["data"]![0]!["attempts"]!.AsArray().Select(item => (int)item!["status"]!));
    }

    [Fact]
    public async Task What_is_still_tried_or_belongs_to_a_disabled_endpoint_is_not_replayed()
    {
        await using var receiver = await WebhookReceiver.StartAsync(500);
        await using var service = await RunningService.StartAsync(receiver.Settings);
        var endpoint = await AddAsync(service, receiver.Url(), "model.ready");
        await service.Api.AddModelAsync(SampleModels.Layers(1, 16, 16));
        await receiver.UntilAsync(1);
        string path = $"/v1/webhooks/{endpoint["id"]}/deliveries";
        var waiting = (await service.Api.UntilAsync(path, page => page["data"]![0]!["attempts"]!.AsArray().Count > 0))["data"]![0]!;
        Assert.NotNull(waiting["nextAttemptAt"]);
        using var early = await service.Api.SendAsync(HttpMethod.Post, $"{path}/{waiting["id"]}/replay");
        Assert.True((bool)(await ApiClient.ProblemAsync(early, 409, "resource_in_use"))["retryable"]!);
        (await service.Api.SendAsync(HttpMethod.Patch, $"/v1/webhooks/{endpoint["id"]}", ApiClient.Json("""{"enabled":false}"""))).EnsureSuccessStatusCode();
        using var disabled = await service.Api.SendAsync(HttpMethod.Post, $"{path}/{waiting["id"]}/replay");
        await ApiClient.ProblemAsync(disabled, 409, "webhook_disabled");
        using var foreign = await service.Api.SendAsync(HttpMethod.Post, $"/v1/webhooks/default/deliveries/{waiting["id"]}/replay");
        await ApiClient.ProblemAsync(foreign, 404, "not_found");
    }

    internal static async Task<JsonNode> AddAsync(RunningService service, string url, params string[] events)
    {
        var body = new JsonObject { ["url"] = url };
        if (events.Length > 0)
        {
            body["events"] = new JsonArray([.. events.Select(item => (JsonNode)item)]);
        }

        using var response = await service.Api.SendAsync(HttpMethod.Post, "/v1/webhooks", ApiClient.Json(body.ToJsonString()));
        return await ApiClient.CreatedAsync(response);
    }

    private static async Task<JsonNode> TestAsync(RunningService service, JsonNode endpoint)
    {
        using var response = await service.Api.SendAsync(HttpMethod.Post, $"/v1/webhooks/{endpoint["id"]}/test");
        string text = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!;
    }
}
