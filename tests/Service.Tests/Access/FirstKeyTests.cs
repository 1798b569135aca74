using System.Net;
using Condense.Service.Access;
using Xunit;

namespace Condense.Service.Tests.Access;

public sealed class FirstKeyTests
{
    [Fact]
    public async Task The_first_key_closes_the_door_behind_it()
    {
        await using var service = await RunningService.StartAsync();
        Assert.NotNull(await service.Api.GetAsync("/v1/jobs"));
        using (var weak = await service.Api.SendAsync(HttpMethod.Post, "/v1/api-keys", ApiClient.Json("""{"name":"ci","scopes":["jobs:read"]}""")))
        {
            var problem = await ApiClient.ProblemAsync(weak, 422, "invalid_field");
            Assert.Equal("/scopes", (string?)problem["errors"]![0]!["pointer"]);
        }

        using var response = await service.Api.SendAsync(HttpMethod.Post, "/v1/api-keys", ApiClient.Json("""{"name":"me","scopes":["admin"]}"""));
        string key = (string)(await ApiClient.CreatedAsync(response))["key"]!;
        using var refused = await service.Api.SendAsync(HttpMethod.Get, "/v1/jobs");
        await ApiClient.ProblemAsync(refused, 401, "unauthenticated");
        Assert.Equal("Bearer", refused.Headers.WwwAuthenticate.ToString());
        using var answered = await service.Api.SendAsync(HttpMethod.Get, "/v1/jobs", null, ("Authorization", $"Bearer {key}"), ("Host", "condense.example"));
        Assert.Equal(HttpStatusCode.OK, answered.StatusCode);
    }

    [Fact]
    public async Task A_key_that_another_process_has_made_is_noticed()
    {
        await using var service = await RunningService.StartAsync();
        await using (var scope = service.Scope())
        {
            await scope.ServiceProvider.GetRequiredService<KeyRing>().CreateAsync("acme", "elsewhere", [Scope.Admin], null, TestContext.Current.CancellationToken);
        }

        // By then a second at most has passed; the address is asked until it notices.
        long start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            using var response = await service.Api.SendAsync(HttpMethod.Get, "/v1/jobs");
            if (response.StatusCode == HttpStatusCode.Unauthorized)
            {
                return;
            }

            Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(60), "The key is not noticed.");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public async Task A_key_is_judged_also_where_none_is_needed()
    {
        await using var service = await RunningService.StartAsync();
        using var response = await service.Api.SendAsync(HttpMethod.Get, "/v1/jobs", null, ("Authorization", $"Bearer {KeyText.Create()}"));
        var problem = await ApiClient.ProblemAsync(response, 401, "unauthenticated");
        Assert.Contains("leave the header", (string)problem["detail"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_keys_the_setting_off_stays_off()
    {
        await using var service = await RunningService.StartAsync("--Access:Keys=off");
        using var response = await service.Api.SendAsync(HttpMethod.Post, "/v1/api-keys", ApiClient.Json("""{"name":"me","scopes":["admin"]}"""));
        await ApiClient.CreatedAsync(response);
        Assert.NotNull(await service.Api.GetAsync("/v1/jobs"));
    }
}
