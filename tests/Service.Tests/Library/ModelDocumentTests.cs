using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Xunit;

namespace Condense.Service.Tests.Library;

public sealed class ModelDocumentTests(RunningService service) : IClassFixture<RunningService>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_patch_merges_and_leaves_the_rest()
    {
        using var created = await service.Api.UploadAsync(SampleModels.Layers(1, 16, 16, seed: 31), "?name=first&metadata.a=1&metadata.b=2");
        var model = await ApiClient.CreatedAsync(created);
        Assert.Equal("a=1 b=2", Entries(model));
        string path = (string)model["links"]!["self"]!;

        (string Patch, string? Name, string Metadata)[] table =
        [
            ("""{}""", "first", "a=1 b=2"),
            ("""{"name":"second"}""", "second", "a=1 b=2"),
            ("""{"metadata":{"a":null,"c":"<b>"}}""", "second", "b=2 c=<b>"),
            ("""{"name":null}""", null, "b=2 c=<b>"),
            ("""{"metadata":null}""", null, ""),
        ];
        foreach (var (patch, name, metadata) in table)
        {
            using var response = await PatchAsync(path, patch);
            string text = await response.Content.ReadAsStringAsync(Cancellation);
            Assert.True(response.IsSuccessStatusCode, text);
            var document = JsonNode.Parse(text)!;
            Assert.Equal((name, metadata), ((string?)document["name"], Entries(document)));
        }
    }

    [Fact]
    public async Task Only_the_version_that_the_client_knows_is_changed_or_deleted()
    {
        string id = await service.Api.AddModelAsync(SampleModels.Layers(1, 16, 16, seed: 32));
        string path = $"/v1/models/{id}";
        using var known = await service.Api.SendAsync(HttpMethod.Get, path);
        string tag = known.Headers.ETag!.ToString();
        using var changed = await PatchAsync(path, """{"name":"x"}""", ("If-Match", tag));
        Assert.Equal(HttpStatusCode.OK, changed.StatusCode);
        using var late = await PatchAsync(path, """{"name":"y"}""", ("If-Match", tag));
        await ApiClient.ProblemAsync(late, 412, "precondition_failed");
        using var gone = await service.Api.SendAsync(HttpMethod.Delete, path, null, ("If-Match", tag));
        await ApiClient.ProblemAsync(gone, 412, "precondition_failed");
        using var now = await service.Api.SendAsync(HttpMethod.Get, path, null, ("If-None-Match", changed.Headers.ETag!.ToString()));
        Assert.Equal(HttpStatusCode.NotModified, now.StatusCode);
        using var deleted = await service.Api.SendAsync(HttpMethod.Delete, path, null, ("If-Match", changed.Headers.ETag.ToString()));
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        using var none = await PatchAsync(path, """{"name":"z"}""");
        await ApiClient.ProblemAsync(none, 404, "not_found");
    }

    [Fact]
    public async Task Changes_at_once_all_take_place()
    {
        string id = await service.Api.AddModelAsync(SampleModels.Layers(1, 16, 16, seed: 33));
        await Task.WhenAll(Enumerable.Range(0, 20).Select(async i =>
        {
            using var response = await PatchAsync($"/v1/models/{id}", $$"""{"metadata":{"k{{i}}":"{{i}}"} }""");
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }));
        Assert.Equal(20, (await service.Api.GetAsync($"/v1/models/{id}"))["metadata"]!.AsObject().Count);
    }

    [Theory]
    [InlineData("""{"name":3}""", "/name")]
    [InlineData("""{"name":"a\nb"}""", "/name")]
    [InlineData("""{"metadata":[]}""", "/metadata")]
    [InlineData("""{"metadata":{"a/b":1}}""", "/metadata/a~1b")]
    [InlineData("""{"metadata":{"":"x"}}""", "/metadata")]
    [InlineData("""{"metadata":{"a":{"b":"c"}}}""", "/metadata/a")]
    [InlineData("""{"state":"ready"}""", "/state")]
    public async Task A_patch_that_can_t_be_made_names_the_place(string patch, string pointer)
    {
        string id = await service.Api.AddModelAsync(SampleModels.Layers(1, 16, 16, seed: 34));
        using var response = await PatchAsync($"/v1/models/{id}", patch);
        Assert.Equal(pointer, (string?)(await ApiClient.ProblemAsync(response, 422, "invalid_field"))["errors"]![0]!["pointer"]);
    }

    [Fact]
    public async Task Metadata_has_its_limits_and_a_result_has_those_of_its_job()
    {
        string id = await service.Api.AddModelAsync(SampleModels.Layers(1, 64, 48, seed: 35));
        var many = new JsonObject(Enumerable.Range(0, 51).Select(i => KeyValuePair.Create<string, JsonNode?>($"k{i}", "v")));
        using var tooMany = await PatchAsync($"/v1/models/{id}", new JsonObject { ["metadata"] = many }.ToJsonString());
        await ApiClient.ProblemAsync(tooMany, 422, "invalid_field");
        using var tooLong = await PatchAsync($"/v1/models/{id}", new JsonObject { ["metadata"] = new JsonObject { ["k"] = new string('x', 100_000) } }.ToJsonString());
        await ApiClient.ProblemAsync(tooLong, 422, "invalid_field");

        var job = await service.Api.EndAsync(await service.Api.AddJobAsync($$"""{"model":"{{id}}","target":{"ratio":2},"metadata":{"run":"7"} }"""));
        Assert.Equal("7", (string?)(await service.Api.GetAsync((string)job["links"]!["model"]!))["metadata"]!["run"]);
    }

    [Fact]
    public async Task Models_are_found_by_digest_state_and_time()
    {
        byte[] bytes = SampleModels.Layers(1, 16, 16, seed: 36);
        string id = await service.Api.AddModelAsync(bytes);
        var model = await service.Api.GetAsync($"/v1/models/{id}");
        string digest = (string)model["sha256"]!;
        Assert.Equal([id], await IdsAsync($"/v1/models?sha256={digest}&state=ready"));
        Assert.Empty(await IdsAsync($"/v1/models?sha256={digest}&state=rejected"));
        Assert.Empty(await IdsAsync($"/v1/models?sha256={digest}&createdAfter={Uri.EscapeDataString((string)model["createdAt"]!)}"));
        foreach (string query in new[] { "sha256=AB", "state=new", "createdAfter=now", "digest=x" })
        {
            using var response = await service.Api.SendAsync(HttpMethod.Get, $"/v1/models?{query}");
            Assert.Equal($"?{query.Split('=')[0]}", (string?)(await ApiClient.ProblemAsync(response, 422, "invalid_field"))["errors"]![0]!["pointer"]);
        }
    }

    [Fact]
    public async Task Usage_counts_equal_files_once()
    {
        await using var own = await RunningService.StartAsync();
        byte[] bytes = SampleModels.Layers(1, 64, 48);
        string model = await own.Api.AddModelAsync(bytes);
        await own.Api.AddModelAsync(bytes);
        var usage = await own.Api.GetAsync("/v1/usage");
        Assert.Equal((2, bytes.Length, 2 * bytes.Length), ((int)usage["models"]!, (long)usage["storedBytes"]!, (long)usage["modelBytes"]!));
        Assert.All(usage["jobs"]!.AsObject(), state => Assert.Equal(0, (int)state.Value!));
        await own.Api.EndAsync(await own.Api.AddJobAsync(model, 2));
        usage = await own.Api.GetAsync("/v1/usage");
        Assert.Equal((3, 1), ((int)usage["models"]!, (int)usage["jobs"]!["succeeded"]!));
    }

    private static string Entries(JsonNode model) =>
        string.Join(' ', model["metadata"]!.AsObject().Select(entry => $"{entry.Key}={(string?)entry.Value}").Order(StringComparer.Ordinal));

    private Task<HttpResponseMessage> PatchAsync(string path, string patch, params (string Name, string Value)[] headers) =>
        service.Api.SendAsync(HttpMethod.Patch, path, new StringContent(patch, Encoding.UTF8, "application/merge-patch+json"), headers);

    private async Task<string[]> IdsAsync(string path) => [.. (await service.Api.GetAsync(path))["data"]!.AsArray().Select(item => (string)item!["id"]!)];
}
