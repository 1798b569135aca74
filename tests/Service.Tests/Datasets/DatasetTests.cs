using System.Text;
using Xunit;

namespace Condense.Service.Tests.Datasets;

public sealed class DatasetTests(RunningService service) : IClassFixture<RunningService>
{
    private const string TabSeparated = "text/tab-separated-values";

    [Theory]
    [InlineData("application/json", """{"vocab":["a","b"],"counts":[3,4.5]}""", true)]
    [InlineData("application/json", """{"counts":[3,4.5]}""", false)]
    [InlineData(TabSeparated, "a\t3\nb\t4.5\n", true)]
    public async Task Counts_are_taken_in_either_form(string type, string body, bool vocabulary)
    {
        using var response = await service.Api.SendAsync(HttpMethod.Post, "/v1/datasets?name=moby", new StringContent(body, Encoding.UTF8, type));
        string id = (string)(await ApiClient.CreatedAsync(response))["id"]!;
        var dataset = await service.Api.GetAsync($"/v1/datasets/{id}");
        Assert.Equal("moby", (string?)dataset["name"]);
        Assert.Equal("frequencies", (string?)dataset["uses"]!.AsArray().Single());
        Assert.Equal((2, 7.5, vocabulary), ((int)dataset["count"]!, (double)dataset["total"]!, (bool)dataset["hasVocabulary"]!));

        (await service.Api.SendAsync(HttpMethod.Delete, $"/v1/datasets/{id}")).EnsureSuccessStatusCode();
        using var gone = await service.Api.SendAsync(HttpMethod.Get, $"/v1/datasets/{id}");
        await ApiClient.ProblemAsync(gone, 404, "not_found");
    }

    [Theory]
    [InlineData("application/json", """{"counts":[1,-2]}""", "/counts/1")]
    [InlineData("application/json", """{"counts":[]}""", "/counts")]
    [InlineData("application/json", """{"vocab":["a"],"counts":[1,2]}""", "/vocab")]
    [InlineData(TabSeparated, "a\t1\nb two\n", "/lines/2")]
    [InlineData(TabSeparated, "a\t1\nb\tNaN\n", "/lines/2")]
    public async Task A_count_that_can_t_be_used_is_named_by_its_place(string type, string body, string pointer)
    {
        using var response = await service.Api.SendAsync(HttpMethod.Post, "/v1/datasets", new StringContent(body, Encoding.UTF8, type));
        var problem = await ApiClient.ProblemAsync(response, 422, "invalid_field");
        Assert.Equal(pointer, (string?)problem["errors"]![0]!["pointer"]);
        Assert.Empty(service.Files("staging"));
    }

    [Fact]
    public async Task Another_type_is_not_taken()
    {
        using var response = await service.Api.SendAsync(HttpMethod.Post, "/v1/datasets", ApiClient.Bytes([1, 2, 3]));
        await ApiClient.ProblemAsync(response, 415, "unsupported_media_type");
    }

    [Fact]
    public async Task A_job_weighs_the_rows_of_the_table_by_the_counts()
    {
        string model = await service.Api.AddModelAsync(SampleModels.Table(200, 16));
        string counts = $$"""{"counts":[{{string.Join(',', Enumerable.Range(0, 200).Select(i => 100_000 / (i + 1)))}}]}""";
        using var created = await service.Api.SendAsync(HttpMethod.Post, "/v1/datasets", ApiClient.Json(counts));
        string dataset = (string)(await ApiClient.CreatedAsync(created))["id"]!;
        string job = await service.Api.AddJobAsync(
            $$"""{"model":"{{model}}","target":{"ratio":3},"methods":["low-rank"],"frequencies":{"dataset":"{{dataset}}","layers":["embedding.*"]} }""");
        Assert.Equal("succeeded", (string?)(await service.Api.EndAsync(job))["state"]);
        var layer = (await service.Api.GetAsync($"/v1/jobs/{job}/report"))["layers"]![0]!;
        Assert.True((double)layer["weightedRelativeError"]! < (double)layer["relativeError"]!);
        Assert.True((double)layer["headError"]! < (double)layer["tailError"]!);

        string alike = await service.Api.AddJobAsync(
            $$"""{"model":"{{model}}","target":{"ratio":3},"methods":["low-rank"],"frequencies":{"dataset":"{{dataset}}","layers":["embedding.*"],"exponent":0} }""");
        Assert.Equal("succeeded", (string?)(await service.Api.EndAsync(alike))["state"]);
        var unweighted = (await service.Api.GetAsync($"/v1/jobs/{alike}/report"))["layers"]![0]!;
        Assert.Equal((double)unweighted["relativeError"]!, (double)unweighted["weightedRelativeError"]!, 1e-9);
        using var beyond = await service.Api.SendAsync(HttpMethod.Post, "/v1/jobs", ApiClient.Json(
            $$"""{"model":"{{model}}","target":{"ratio":3},"frequencies":{"dataset":"{{dataset}}","exponent":2} }"""));
        Assert.Equal("/frequencies/exponent", (string?)(await ApiClient.ProblemAsync(beyond, 422, "invalid_field"))["errors"]![0]!["pointer"]);

        using var wrong = await service.Api.SendAsync(HttpMethod.Post, "/v1/jobs", ApiClient.Json(
            $$"""{"model":"{{model}}","target":{"ratio":3},"frequencies":"dst_NONE"}"""));
        await ApiClient.ProblemAsync(wrong, 404, "not_found");
    }
}
