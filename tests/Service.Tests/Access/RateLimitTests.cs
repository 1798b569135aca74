using System.Net;
using Condense.Service.Access;
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
        using var known = service.With(KeyedService.FirstKey);
        Assert.NotNull(await known.GetAsync("/v1/models"));
        string unseen = await service.MakeAsync("default", null, Scope.ModelsRead);
        for (int i = 0; i < 2; i++)
        {
            using var guess = service.With(KeyText.Create());
            using var response = await guess.SendAsync(HttpMethod.Get, "/v1/models");
            await ApiClient.ProblemAsync(response, 401, "unauthenticated");
        }

        // Not even a right guess is told from a wrong one.
        using var right = service.With(unseen);
        using var stopped = await right.SendAsync(HttpMethod.Get, "/v1/models");
        await ApiClient.ProblemAsync(stopped, 429, "rate_limited");
        Assert.NotNull(stopped.Headers.RetryAfter);
        Assert.NotNull(await known.GetAsync("/v1/models"));
    }

    [Fact]
    public async Task Without_keys_an_address_is_a_client()
    {
        await using var service = await RunningService.StartAsync("--Access:KeylessPerMinute=1");
        Assert.NotNull(await service.Api.GetAsync("/v1/models"));
        using var response = await service.Api.SendAsync(HttpMethod.Get, "/v1/models");
        await ApiClient.ProblemAsync(response, 429, "rate_limited");
    }
}
