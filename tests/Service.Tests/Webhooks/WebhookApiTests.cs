using System.Net;
using System.Text.Json.Nodes;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace Condense.Service.Tests.Webhooks;

public sealed class WebhookApiTests(RunningService service) : IClassFixture<RunningService>
{
    /// <summary>A public address: nothing is ever sent there by these tests.</summary>
    private const string Url = "https://93.184.216.34/hooks";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_endpoint_is_made_read_changed_and_deleted()
    {
        var made = await CreateAsync($$"""{"url":"{{Url}}","description":"Nightly","events":["job.failed","job.failed","model.ready"]}""");
        string id = (string)made["id"]!;
        Assert.StartsWith("whk_", id, StringComparison.Ordinal);
        Assert.Matches("^whsec_[A-Za-z0-9+/]{43}=$", (string)made["secret"]!);
        Assert.Equal(["job.failed", "model.ready"], made["events"]!.AsArray().Select(item => (string)item!));
        Assert.True((bool)made["enabled"]!);

        var read = await service.Api.GetAsync($"/v1/webhooks/{id}");
        Assert.Null(read["secret"]);
        Assert.Equal("Nightly", (string?)read["description"]);
        var listed = (await service.Api.GetAsync("/v1/webhooks?limit=100"))["data"]!.AsArray();
        Assert.Null(Assert.Single(listed, item => (string)item!["id"]! == id)!["secret"]);

        var changed = await PatchAsync(id, """{"description":"","events":["job.progress"],"enabled":false}""");
        Assert.Null(changed["description"]);
        Assert.Equal(("manual", false, Url), ((string?)changed["disabledReason"], (bool)changed["enabled"]!, (string?)changed["url"]));
        var enabled = await PatchAsync(id, """{"enabled":true}""");
        Assert.Equal((null, true, "job.progress"), ((string?)enabled["disabledReason"], (bool)enabled["enabled"]!, (string?)enabled["events"]![0]));

        using var deleted = await service.Api.SendAsync(HttpMethod.Delete, $"/v1/webhooks/{id}");
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        foreach (var (method, path) in new[]
                 {
                     (HttpMethod.Get, ""), (HttpMethod.Delete, ""), (HttpMethod.Post, "/rotate-secret"), (HttpMethod.Post, "/test"), (HttpMethod.Get, "/deliveries"),
                     (HttpMethod.Post, "/deliveries/dlv_1/replay"),
                 })
        {
            using var gone = await service.Api.SendAsync(method, $"/v1/webhooks/{id}{path}");
            await ApiClient.ProblemAsync(gone, 404, "not_found");
        }

        using var patched = await service.Api.SendAsync(HttpMethod.Patch, $"/v1/webhooks/{id}", ApiClient.Json("{}"));
        await ApiClient.ProblemAsync(patched, 404, "not_found");
    }

    [Fact]
    public async Task With_If_Match_only_the_version_that_the_client_knows_is_changed_or_deleted()
    {
        // Of an event that does not happen here: a failed delivery would change the document, too.
        string path = $"/v1/webhooks/{(await CreateAsync($$"""{"url":"{{Url}}","events":["job.expired"]}"""))["id"]}";
        using var read = await service.Api.SendAsync(HttpMethod.Get, path);
        string first = read.Headers.ETag!.ToString();
        using var changed = await service.Api.SendAsync(HttpMethod.Patch, path, ApiClient.Json("""{"description":"mine"}"""), ("If-Match", first));
        Assert.Equal(HttpStatusCode.OK, changed.StatusCode);
        using var late = await service.Api.SendAsync(HttpMethod.Patch, path, ApiClient.Json("""{"description":"theirs"}"""), ("If-Match", first));
        await ApiClient.ProblemAsync(late, 412, "precondition_failed");
        Assert.Equal("mine", (string?)(await service.Api.GetAsync(path))["description"]);
        using var kept = await service.Api.SendAsync(HttpMethod.Delete, path, null, ("If-Match", first));
        await ApiClient.ProblemAsync(kept, 412, "precondition_failed");
        using var deleted = await service.Api.SendAsync(HttpMethod.Delete, path, null, ("If-Match", changed.Headers.ETag!.ToString()));
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
    }

    [Fact]
    public async Task Without_events_everything_but_progress_is_told()
    {
        var made = await CreateAsync($$"""{"url":"{{Url}}"}""");
        Assert.Equal(
            ["model.ready", "model.rejected", "job.queued", "job.started", "job.succeeded", "job.failed", "job.canceled", "job.expired"],
            made["events"]!.AsArray().Select(item => (string)item!));
    }

    [Theory]
    [InlineData("""{"url":"https://127.0.0.1/"}""", "webhook_url_forbidden", "/url")]
    [InlineData("""{"url":"https://localhost/"}""", "webhook_url_forbidden", "/url")]
    [InlineData("""{"url":"https://[::ffff:10.0.0.1]/"}""", "webhook_url_forbidden", "/url")]
    [InlineData("""{"url":"http://93.184.216.34/"}""", "webhook_url_forbidden", "/url")]
    [InlineData("""{"url":"https://93.184.216.34:8080/"}""", "webhook_url_forbidden", "/url")]
    [InlineData("""{"url":"https://no-such-host.invalid/"}""", "webhook_url_forbidden", "/url")]
    [InlineData("""{"url":""}""", "webhook_url_forbidden", "/url")]
    [InlineData("""{}""", "invalid_field", "")]
    [InlineData("""{"url":null}""", "invalid_field", "/url")]
    [InlineData("""{"url":"https://93.184.216.34/","events":[]}""", "invalid_field", "/events")]
    [InlineData("""{"url":"https://93.184.216.34/","events":["job.succeeded","job.exploded"]}""", "invalid_field", "/events/1")]
    [InlineData("""{"url":"https://93.184.216.34/","events":[null]}""", "invalid_field", "/events/0")]
    [InlineData("""{"url":"https://93.184.216.34/","events":["webhook.test"]}""", "invalid_field", "/events/0")]
    [InlineData("""{"url":"https://93.184.216.34/","description":"a\u0000b"}""", "invalid_field", "/description")]
    [InlineData("""{"url":"https://93.184.216.34/","secret":"whsec_mine"}""", "invalid_field", "/secret")]
    public async Task What_can_t_be_used_is_named(string body, string code, string pointer)
    {
        using var response = await service.Api.SendAsync(HttpMethod.Post, "/v1/webhooks", ApiClient.Json(body));
        var problem = await ApiClient.ProblemAsync(response, 422, code);
        Assert.Equal(pointer, (string?)problem["errors"]![0]!["pointer"]);
    }

    [Fact]
    public async Task A_description_that_is_too_long_and_a_change_to_an_inner_address_are_refused()
    {
        using var response = await service.Api.SendAsync(HttpMethod.Post, "/v1/webhooks", ApiClient.Json($$"""{"url":"{{Url}}","description":"{{new string('x', 501)}}"}"""));
        Assert.Equal("/description", (string?)(await ApiClient.ProblemAsync(response, 422, "invalid_field"))["errors"]![0]!["pointer"]);
        using var huge = await service.Api.SendAsync(HttpMethod.Post, "/v1/webhooks", ApiClient.Json($$"""{"url":"{{new string('x', 100_000)}}"}"""));
        await ApiClient.ProblemAsync(huge, 413, "payload_too_large");
        string id = (string)(await CreateAsync($$"""{"url":"{{Url}}"}"""))["id"]!;
        using var changed = await service.Api.SendAsync(HttpMethod.Patch, $"/v1/webhooks/{id}", ApiClient.Json("""{"url":"https://10.0.0.1/"}"""));
        await ApiClient.ProblemAsync(changed, 422, "webhook_url_forbidden");
        Assert.Equal(Url, (string?)(await service.Api.GetAsync($"/v1/webhooks/{id}"))["url"]);
    }

    [Theory]
    [InlineData("""{}""", "invalid_field", "/webhook")]
    [InlineData("""{"url":"https://93.184.216.34/","endpoint":"whk_1"}""", "invalid_field", "/webhook")]
    [InlineData("""{"endpoint":"whk_\u0000"}""", "invalid_field", "/webhook/endpoint")]
    [InlineData("""{"endpoint":"whk_NONE"}""", "invalid_field", "/webhook/endpoint")]
    [InlineData("""{"url":"https://127.0.0.1/"}""", "webhook_url_forbidden", "/webhook/url")]
    [InlineData("""{"url":"https://[64:ff9b::7f00:1]/"}""", "webhook_url_forbidden", "/webhook/url")]
    [InlineData("""{"url":"https://93.184.216.34/","events":["model.ready"]}""", "invalid_field", "/webhook/events/0")]
    [InlineData("""{"url":"https://93.184.216.34/","every":1}""", "invalid_field", "/webhook/every")]
    public async Task A_job_s_webhook_is_judged_when_the_job_is_accepted(string webhook, string code, string pointer)
    {
        using var response = await service.Api.SendAsync(HttpMethod.Post, "/v1/jobs", ApiClient.Json($$"""{"model":"mdl_1","target":{"ratio":2},"webhook":{{webhook}}}"""));
        var problem = await ApiClient.ProblemAsync(response, 422, code);
        Assert.Equal(pointer, (string?)problem["errors"]![0]!["pointer"]);
    }

    [Fact]
    public async Task A_job_is_retried_though_its_endpoint_is_gone()
    {
        string endpoint = (string)(await CreateAsync($$"""{"url":"{{Url}}","events":["model.rejected"]}"""))["id"]!;
        string model = await service.Api.AddModelAsync(SampleModels.Layers(1, 32, 32));
        string job = await service.Api.AddJobAsync($$"""{"model":"{{model}}","target":{"ratio":2},"webhook":{"endpoint":"{{endpoint}}","events":["job.expired"]} }""");
        await service.Api.EndAsync(job);
        (await service.Api.SendAsync(HttpMethod.Delete, $"/v1/webhooks/{endpoint}")).EnsureSuccessStatusCode();
        using var retried = await service.Api.SendAsync(HttpMethod.Post, $"/v1/jobs/{job}/retry");
        var document = await ApiClient.CreatedAsync(retried);
        Assert.Equal((job, null), ((string?)document["retryOf"], document["request"]!["webhook"]));
    }

    [Fact]
    public async Task The_query_of_a_job_s_address_is_used_and_not_shown()
    {
        string model = await service.Api.AddModelAsync(SampleModels.Layers(1, 32, 32, seed: 2));
        using var response = await service.Api.SendAsync(
            HttpMethod.Post,
            "/v1/jobs",
            ApiClient.Json($$"""{"model":"{{model}}","target":{"ratio":2},"webhook":{"url":"{{Url}}?token=s3cret","events":["job.expired"]} }"""),
            ("Idempotency-Key", "a-token"));
        string id = (string)(await ApiClient.CreatedAsync(response))["id"]!;
        Assert.Equal($"{Url}?…", (string?)(await service.Api.GetAsync($"/v1/jobs/{id}"))["request"]!["webhook"]!["url"]);
        foreach (string text in new[] { await response.Content.ReadAsStringAsync(Cancellation), (await service.Api.GetAsync("/v1/jobs?limit=100")).ToJsonString() })
        {
            Assert.DoesNotContain("s3cret", text, StringComparison.Ordinal);
        }

        await using var scope = service.Scope();
        var row = await scope.ServiceProvider.GetRequiredService<CondenseDbContext>().Jobs.SingleAsync(job => job.Id == id, Cancellation);
        Assert.Contains("?token=s3cret", row.RequestJson, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_default_secret_is_made_once_and_replaced_on_demand()
    {
        var both = await Task.WhenAll(service.Api.GetAsync("/v1/webhooks/default/secret"), service.Api.GetAsync("/v1/webhooks/default/secret"));
        string secret = (string)both[0]["secret"]!;
        Assert.Equal(secret, (string?)both[1]["secret"]);
        using var rotated = await service.Api.SendAsync(HttpMethod.Post, "/v1/webhooks/default/rotate-secret");
        var document = JsonNode.Parse(await rotated.Content.ReadAsStringAsync(Cancellation))!;
        Assert.NotEqual(secret, (string?)document["secret"]);
        Assert.NotNull(document["previousSecretUntil"]);
        Assert.Equal((string?)document["secret"], (string?)(await service.Api.GetAsync("/v1/webhooks/default/secret"))["secret"]);
    }

    [Fact]
    public async Task Deliveries_are_listed_by_known_states_only()
    {
        using var state = await service.Api.SendAsync(HttpMethod.Get, "/v1/webhooks/default/deliveries?state=lost");
        Assert.Equal("?state", (string?)(await ApiClient.ProblemAsync(state, 422, "invalid_field"))["errors"]![0]!["pointer"]);
        Assert.Empty((await service.Api.GetAsync("/v1/webhooks/default/deliveries?state=failed"))["data"]!.AsArray());
    }

    [Fact]
    public async Task The_description_of_the_API_has_every_event()
    {
        var document = await service.Api.GetAsync("/swagger/v1/swagger.json");
        var webhooks = document["webhooks"]!.AsObject();
        Assert.Equal(
            ["job.canceled", "job.expired", "job.failed", "job.progress", "job.queued", "job.started", "job.succeeded", "model.ready", "model.rejected", "webhook.test"],
            webhooks.Select(pair => pair.Key).Order(StringComparer.Ordinal));
        Assert.All(webhooks, pair => Assert.NotNull(pair.Value!["post"]!["requestBody"]!["content"]!["application/json"]!["schema"]));
    }

    private async Task<JsonNode> CreateAsync(string body)
    {
        using var response = await service.Api.SendAsync(HttpMethod.Post, "/v1/webhooks", ApiClient.Json(body));
        return await ApiClient.CreatedAsync(response);
    }

    private async Task<JsonNode> PatchAsync(string id, string body)
    {
        using var response = await service.Api.SendAsync(HttpMethod.Patch, $"/v1/webhooks/{id}", ApiClient.Json(body));
        string text = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.True(response.StatusCode == HttpStatusCode.OK, text);
        return JsonNode.Parse(text)!;
    }
}
