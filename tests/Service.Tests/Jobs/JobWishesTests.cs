using System.Net;
using System.Text.Json.Nodes;
using Xunit;

namespace Condense.Service.Tests.Jobs;

/// <summary>What a client may wish of a job beyond its target: to wait for it, to limit it, to gate on it, to have it again.</summary>
public sealed class JobWishesTests(RunningService service) : IClassFixture<RunningService>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_client_that_prefers_to_wait_gets_the_finished_job()
    {
        string model = await service.Api.AddModelAsync(SampleModels.Layers(2, 64, 48));
        using var response = await service.Api.SendAsync(
            HttpMethod.Post, "/v1/jobs", ApiClient.Json($$"""{"model":"{{model}}","target":{"ratio":2} }"""), ("Prefer", "respond-async, wait=600"));
        var job = await ApiClient.CreatedAsync(response);
        Assert.Equal("succeeded", (string?)job["state"]);
        Assert.NotEmpty(job["attempts"]!.AsArray());
        Assert.Equal("wait=60", response.Headers.GetValues("Preference-Applied").Single());
        Assert.Null(response.Headers.RetryAfter);
    }

    [Fact]
    public async Task The_wait_ends_with_the_job_as_it_is_and_at_once_when_it_is_canceled()
    {
        string model = await service.Api.AddModelAsync(SampleModels.Layers(80, 384, 384));
        using var response = await service.Api.SendAsync(
            HttpMethod.Post, "/v1/jobs", ApiClient.Json($$"""{"model":"{{model}}","target":{"ratio":3} }"""), ("Prefer", "wait=1"));
        var job = await ApiClient.CreatedAsync(response);
        Assert.Contains((string?)job["state"], new[] { "queued", "running" });
        Assert.Equal("wait=1", response.Headers.GetValues("Preference-Applied").Single());
        Assert.NotNull(response.Headers.RetryAfter);

        string id = (string)job["id"]!;
        var waiting = service.Api.SendAsync(HttpMethod.Get, $"/v1/jobs/{id}", null, ("Prefer", "wait=60"));
        (await service.Api.SendAsync(HttpMethod.Post, $"/v1/jobs/{id}/cancel")).EnsureSuccessStatusCode();
        using var ended = await waiting;
        Assert.Equal("canceled", (string?)JsonNode.Parse(await ended.Content.ReadAsStringAsync(Cancellation))!["state"]);
    }

    [Theory]
    [InlineData("wait=x")]
    [InlineData("wait=-1")]
    [InlineData("wait")]
    [InlineData("handling=strict")]
    public async Task A_preference_that_can_t_be_understood_is_not_applied(string preference)
    {
        string model = await service.Api.AddModelAsync(SampleModels.Layers(1, 64, 48));
        string id = await service.Api.AddJobAsync(model, 2);
        using var response = await service.Api.SendAsync(HttpMethod.Get, $"/v1/jobs/{id}", null, ("Prefer", preference));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.False(response.Headers.Contains("Preference-Applied"));
    }

    [Fact]
    public async Task A_job_ends_when_its_seconds_are_over_and_is_not_tried_again()
    {
        string model = await service.Api.AddModelAsync(SampleModels.Layers(80, 384, 384));
        var job = await service.Api.EndAsync(
            await service.Api.AddJobAsync($$"""{"model":"{{model}}","target":{"ratio":3},"constraints":{"maxSeconds":0.2} }"""));
        Assert.Equal(("failed", "max_seconds_exceeded"), ((string)job["state"]!, (string)job["error"]!["code"]!));
        Assert.False((bool)job["error"]!["retryable"]!);
        Assert.Equal("max_seconds_exceeded", (string?)job["attempts"]!.AsArray().Single()!["endReason"]);
    }

    [Fact]
    public async Task Assertions_stand_beside_what_was_measured()
    {
        string model = await service.Api.AddModelAsync(SampleModels.Layers(2, 64, 48));
        var job = await service.Api.EndAsync(await service.Api.AddJobAsync(
            $$"""{"model":"{{model}}","target":{"ratio":2},"assertions":{"minRatio":2,"minParameterRatio":1000,"maxBytes":1,"maxBitsPerWeight":32,"maxRelativeError":0,"maxMultiplyAddsRatio":9} }"""));
        Assert.Equal("succeeded", (string?)job["state"]);
        var assertions = job["assertions"]!.AsArray();
        Assert.Equal(
            ["minRatio:True", "minParameterRatio:False", "maxBytes:False", "maxBitsPerWeight:True", "maxRelativeError:False", "maxMultiplyAddsRatio:True"],
            assertions.Select(item => $"{item!["name"]}:{(bool)item["passed"]!}"));
        Assert.Equal((double)job["result"]!["ratio"]!, (double)assertions[0]!["actual"]!);
        Assert.Equal(2, (double)assertions[0]!["expected"]!);
    }

    [Fact]
    public async Task A_finished_job_can_be_retried_and_an_unfinished_one_can_t()
    {
        string model = await service.Api.AddModelAsync(SampleModels.Layers(80, 384, 384, seed: 8));
        string first = await service.Api.AddJobAsync($$"""{"model":"{{model}}","target":{"ratio":3},"seed":3,"expiresAt":"2999-01-01T00:00:00Z","metadata":{"a":"b"} }""");
        using var early = await service.Api.SendAsync(HttpMethod.Post, $"/v1/jobs/{first}/retry");
        await ApiClient.ProblemAsync(early, 409, "job_not_finished");
        (await service.Api.SendAsync(HttpMethod.Post, $"/v1/jobs/{first}/cancel")).EnsureSuccessStatusCode();
        var canceled = await service.Api.EndAsync(first);
        Assert.Equal($"/v1/jobs/{first}/retry", (string?)canceled["links"]!["retry"]);

        using var response = await service.Api.SendAsync(HttpMethod.Post, $"/v1/jobs/{first}/retry");
        var second = await ApiClient.CreatedAsync(response);
        Assert.NotEqual(first, (string?)second["id"]);
        Assert.Equal((first, 3, "b"), ((string)second["retryOf"]!, (int)second["request"]!["seed"]!, (string)second["request"]!["metadata"]!["a"]!));
        Assert.Null(second["request"]!["expiresAt"]);
        (await service.Api.SendAsync(HttpMethod.Post, (string)second["links"]!["cancel"]!)).EnsureSuccessStatusCode();
        Assert.Equal(2, (await service.Api.GetAsync("/v1/jobs?metadata.a=b"))["data"]!.AsArray().Count);

        using var none = await service.Api.SendAsync(HttpMethod.Post, "/v1/jobs/job_NONE/retry");
        await ApiClient.ProblemAsync(none, 404, "not_found");
    }
}
