using Xunit;

namespace Condense.Service.Tests.Hosting;

public sealed class LoopbackGuardTests(RunningService service) : IClassFixture<RunningService>
{
    [Theory]
    [InlineData("Host", "attacker.example")]
    [InlineData("Host", "192.168.1.4:8080")]
    [InlineData("Origin", "https://attacker.example")]
    [InlineData("Origin", "null")]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    public async Task A_request_from_elsewhere_is_refused(string header, string value)
    {
        using var response = await service.Api.SendAsync(HttpMethod.Post, "/v1/jobs", new StringContent("{}"), (header, value));
        await ApiClient.ProblemAsync(response, 403, "forbidden_origin");
    }

    [Theory]
    [InlineData("Host", "localhost")]
    [InlineData("Host", "[::1]:8080")]
    [InlineData("Sec-Fetch-Site", "none")]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    public async Task A_request_from_here_is_answered_and_a_link_from_elsewhere_may_lead_here(string header, string value)
    {
        using var response = await service.Api.SendAsync(HttpMethod.Get, "/v1/methods", null, (header, value));
        Assert.True(response.IsSuccessStatusCode);
    }

    [Fact]
    public async Task A_page_of_the_service_itself_may_post()
    {
        using var response = await service.Api.SendAsync(
            HttpMethod.Post, "/v1/jobs", ApiClient.Json("{"), ("Origin", service.Address.GetLeftPart(UriPartial.Authority)), ("Sec-Fetch-Site", "same-origin"));
        await ApiClient.ProblemAsync(response, 400, "malformed_json");
    }
}
