using Xunit;

namespace Condense.Service.Tests.Hosting;

public sealed class AddressTests(RunningService service) : IClassFixture<RunningService>
{
    [Theory]
    [InlineData("/livez")]
    [InlineData("/readyz")]
    [InlineData("/startupz")]
    public async Task The_probes_answer_and_reveal_nothing(string path)
    {
        using var response = await service.Api.SendAsync(HttpMethod.Get, path);
        Assert.True(response.IsSuccessStatusCode);
        Assert.Equal("ok", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Empty(response.Headers.Server);
    }

    [Fact]
    public async Task An_unknown_address_is_a_problem()
    {
        using var response = await service.Api.SendAsync(HttpMethod.Get, "/v1/nothing");
        await ApiClient.ProblemAsync(response, 404, "not_found");
    }

    [Fact]
    public async Task A_wrong_method_is_a_problem_that_lists_the_right_ones()
    {
        using var response = await service.Api.SendAsync(HttpMethod.Put, "/v1/models");
        await ApiClient.ProblemAsync(response, 405, "method_not_allowed");
        Assert.Contains("POST", response.Content.Headers.Allow);
    }

    [Fact]
    public async Task The_catalogue_lists_methods_with_their_settings()
    {
        var methods = (await service.Api.GetAsync("/v1/methods"))["methods"]!.AsArray();
        var lowRank = Assert.Single(methods, method => (string?)method!["name"] == "low-rank")!;
        Assert.NotNull(lowRank["settings"]!["properties"]!["rank"]);
        Assert.Contains("frequencies", lowRank["uses"]!.AsArray().Select(use => (string)use!));
    }

    [Fact]
    public async Task The_limits_are_those_that_hold()
    {
        var limits = await service.Api.GetAsync("/v1/limits");
        Assert.Equal(8L << 30, (long)limits["modelBytes"]!);
        Assert.Equal(100, (int)limits["pageItems"]!);
    }
}
