using System.Net;
using Condense.Service.Access;
using Condense.Service.Library;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace Condense.Service.Tests.Access;

/// <summary>One request a minute: the tests need not hurry.</summary>
public sealed class RateLimitTests
{
    [Fact]
    public async Task A_key_that_asks_too_often_is_told_when_to_come_back()
    {
        await using var service = await KeyedService.StartKeyedAsync("--Access:ReadsPerMinute=1", "--Access:WritesPerMinute=1");
        using var first = service.With(KeyedService.FirstKey);
        using (var response = await first.SendAsync(HttpMethod.Get, "/v1/models/mdl_0"))
        {
            await ApiClient.ProblemAsync(response, 404, "not_found");
            Assert.Equal("\"reads\";q=1;w=60", Assert.Single(response.Headers.GetValues("RateLimit-Policy")));
            Assert.StartsWith("\"reads\";r=0;t=", Assert.Single(response.Headers.GetValues("RateLimit")), StringComparison.Ordinal);
        }

        using (var response = await first.SendAsync(HttpMethod.Get, "/v1/models"))
        {
            var problem = await ApiClient.ProblemAsync(response, 429, "rate_limited");
            Assert.True((bool)problem["retryable"]!);
            Assert.InRange(response.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60));
            Assert.StartsWith("\"reads\";r=0;t=", Assert.Single(response.Headers.GetValues("RateLimit")), StringComparison.Ordinal);
        }

        // Writes, another key, and probes have their own.
        using (var write = await first.SendAsync(HttpMethod.Post, "/v1/jobs", ApiClient.Json("{}")))
        {
            await ApiClient.ProblemAsync(write, 422, "invalid_field");
            Assert.Equal("\"writes\";q=1;w=60", Assert.Single(write.Headers.GetValues("RateLimit-Policy")));
        }

        using var second = service.With(await service.MakeAsync("default", null, Scope.ModelsRead));
        Assert.NotNull(await second.GetAsync("/v1/models"));
        for (int i = 0; i < 5; i++)
        {
            using var probe = await service.Api.SendAsync(HttpMethod.Get, "/livez");
            Assert.Equal(HttpStatusCode.OK, probe.StatusCode);
        }
    }

    [Fact]
    public async Task Who_guesses_keys_is_stopped_and_who_has_one_is_not()
    {
        await using var service = await KeyedService.StartKeyedAsync("--Access:FailuresPerMinute=2");
        string unseen = await service.MakeAsync("default", null, Scope.ModelsRead);
        for (int i = 0; i < 2; i++)
        {
            using var guess = service.With(KeyText.Create());
            using var response = await guess.SendAsync(HttpMethod.Get, "/v1/models");
            await ApiClient.ProblemAsync(response, 401, "unauthenticated");
        }

        using var third = service.With(KeyText.Create());
        using var stopped = await third.SendAsync(HttpMethod.Get, "/v1/models");
        await ApiClient.ProblemAsync(stopped, 429, "rate_limited");
        Assert.NotNull(stopped.Headers.RetryAfter);
        using var none = await service.Api.SendAsync(HttpMethod.Get, "/v1/models");
        await ApiClient.ProblemAsync(none, 429, "rate_limited");

        // A key that this node has never seen, from the same address: a neighbour's mistakes lock nobody out.
        using var right = service.With(unseen);
        Assert.NotNull(await right.GetAsync("/v1/models"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Behind_a_proxy_the_address_is_the_client_s_if_the_proxy_is_trusted(bool isTrusted)
    {
        await using var service = await KeyedService.StartKeyedAsync("--Access:FailuresPerMinute=1", $"--Access:TrustedProxies:0={(isTrusted ? "127.0.0.0/8" : "10.0.0.0/8")}");
        await FromAsync("203.0.113.7", 401, "unauthenticated");

        // What a client writes into the header itself stands before what the proxy adds, and is nobody's word.
        await FromAsync("198.51.100.1, 203.0.113.7", 429, "rate_limited");
        await (isTrusted ? FromAsync("203.0.113.8", 401, "unauthenticated") : FromAsync("203.0.113.8", 429, "rate_limited"));

        async Task FromAsync(string forwarded, int status, string code)
        {
            using var response = await service.Api.SendAsync(HttpMethod.Get, "/v1/models", null, ("X-Forwarded-For", forwarded));
            await ApiClient.ProblemAsync(response, status, code);
        }
    }

    [Fact]
    public async Task A_request_without_the_scope_counts_as_one_of_the_key_s()
    {
        await using var service = await KeyedService.StartKeyedAsync("--Access:ReadsPerMinute=1");
        using var client = service.With(await service.MakeAsync("default", null, Scope.JobsRead));
        using var refused = await client.SendAsync(HttpMethod.Get, "/v1/models");
        await ApiClient.ProblemAsync(refused, 403, "insufficient_scope");
        Assert.StartsWith("\"reads\";r=0;t=", Assert.Single(refused.Headers.GetValues("RateLimit")), StringComparison.Ordinal);
        using var stopped = await client.SendAsync(HttpMethod.Get, "/v1/models");
        await ApiClient.ProblemAsync(stopped, 429, "rate_limited");
    }

    [Fact]
    public async Task A_key_keeps_so_many_streams_and_waits_open_and_no_more()
    {
        await using var service = await KeyedService.StartKeyedAsync("--Access:OpenWaits=2", "--Role=Api");
        using var first = service.With(KeyedService.FirstKey);
        string model = await AddReadyModelAsync(service, first);
        string job = await first.AddJobAsync(model, 2);
        using var stream = await OpenAsync(first, job);
        using (var other = await OpenAsync(first, job))
        {
            // Refused before anything is made.
            using var waiting = await first.SendAsync(HttpMethod.Post, "/v1/jobs", ApiClient.Json($$"""{"model":"{{model}}","target":{"ratio":2} }"""), ("Prefer", "wait=60"));
            await ApiClient.ProblemAsync(waiting, 429, "rate_limited");
            Assert.NotNull(waiting.Headers.RetryAfter);
            Assert.Single((await first.GetAsync("/v1/jobs"))["data"]!.AsArray());
            using var third = await OpenAsync(first, job);
            await ApiClient.ProblemAsync(third, 429, "rate_limited");
            using var looking = await first.SendAsync(HttpMethod.Get, $"/v1/jobs/{job}", null, ("Prefer", "wait=60"));
            await ApiClient.ProblemAsync(looking, 429, "rate_limited");

            // Another key has its own.
            using var second = service.With(await service.MakeAsync("default", null, Scope.JobsRead));
            using var theirs = await OpenAsync(second, job);
            Assert.Equal(HttpStatusCode.OK, theirs.StatusCode);
        }

        // The end of one is noticed, and makes room.
        long start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            using var again = await OpenAsync(first, job);
            if (again.StatusCode == HttpStatusCode.OK)
            {
                return;
            }

            Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(90), "A closed stream still counts.");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public async Task Without_keys_an_address_is_a_client()
    {
        await using var service = await RunningService.StartAsync("--Access:KeylessPerMinute=1");
        Assert.NotNull(await service.Api.GetAsync("/v1/models"));
        using var response = await service.Api.SendAsync(HttpMethod.Get, "/v1/models");
        await ApiClient.ProblemAsync(response, 429, "rate_limited");
    }

    private static async Task<HttpResponseMessage> OpenAsync(ApiClient client, string job)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"/v1/jobs/{job}/events", UriKind.Relative));
        request.Headers.Add("Accept", "text/event-stream");
        return await client.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
    }

    /// <summary>A model of a service without a worker: said to be ready.</summary>
    private static async Task<string> AddReadyModelAsync(KeyedService service, ApiClient client)
    {
        using var uploaded = await client.UploadAsync(SampleModels.Layers(1, 64, 48));
        string id = (string)(await ApiClient.CreatedAsync(uploaded))["id"]!;
        await using var scope = service.Scope();
        await scope.ServiceProvider.GetRequiredService<CondenseDbContext>().Models.ExecuteUpdateAsync(set => set.SetProperty(row => row.State, ModelState.Ready));
        return id;
    }
}
