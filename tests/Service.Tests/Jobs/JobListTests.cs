using System.Net;
using System.Text.Json.Nodes;
using Condense.Service.Library;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace Condense.Service.Tests.Jobs;

public sealed class JobListTests(JobListTests.WithQueue service) : IClassFixture<JobListTests.WithQueue>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Metadata_filters_must_all_hold_and_survive_the_next_page()
    {
        string run = "run 1/ü&=";
        var both = new List<string>();
        for (int i = 0; i < 3; i++)
        {
            both.Add(await AddAsync(new JsonObject { ["run"] = run, ["stage"] = "test" }));
        }

        await AddAsync(new JsonObject { ["run"] = run, ["stage"] = "live" });
        await AddAsync(new JsonObject { ["run"] = "2", ["stage"] = "test" });
        await AddAsync([]);

        var found = new List<string>();
        string? path = $"/v1/jobs?metadata.run={Uri.EscapeDataString(run)}&metadata.stage=test&limit=2";
        while (path is not null)
        {
            using var response = await service.Api.SendAsync(HttpMethod.Get, path);
            var page = JsonNode.Parse(await response.Content.ReadAsStringAsync(Cancellation))!;
            found.AddRange(page["data"]!.AsArray().Select(job => (string)job!["id"]!));
            path = response.Headers.TryGetValues("Link", out var links) ? links.Single().Split('<', '>')[1] : null;
            Assert.Equal(path is null, page["nextCursor"] is null);
            Assert.True(path is null || path.Contains("metadata.stage=test", StringComparison.Ordinal), path);
        }

        Assert.Equal(both.AsEnumerable().Reverse(), found);
    }

    [Fact]
    public async Task Only_jobs_accepted_later_are_listed()
    {
        string early = await AddAsync([]);
        string moment = (string)(await service.Api.GetAsync($"/v1/jobs/{early}"))["timings"]!["createdAt"]!;
        string late = await AddAsync([]);
        var listed = await IdsAsync($"/v1/jobs?createdAfter={Uri.EscapeDataString(moment)}");
        Assert.Contains(late, listed);
        Assert.DoesNotContain(early, listed);
        Assert.Empty(await IdsAsync("/v1/jobs?createdAfter=2999-01-01T00:00:00%2B01:00"));
        Assert.Contains(early, await IdsAsync("/v1/jobs?createdAfter=1900-01-01T00:00:00Z&limit=100"));
    }

    [Theory]
    [InlineData("state=lost", "?state")]
    [InlineData("state=1", "?state")]
    [InlineData("stat=queued", "?stat")]
    [InlineData("model=x", "?model")]
    [InlineData("model=mdl_%00", "?model")]
    [InlineData("createdAfter=yesterday", "?createdAfter")]
    [InlineData("createdAfter=2026-11-22T12:00:00", "?createdAfter")]
    [InlineData("limit=0", "?limit")]
    [InlineData("limit=101", "?limit")]
    [InlineData("limit=x", "?limit")]
    [InlineData("limit=1&limit=2", "?limit")]
    [InlineData("cursor=", "?cursor")]
    [InlineData("cursor=!", "?cursor")]
    [InlineData("cursor=AAAA", "?cursor")]
    [InlineData("metadata.=x", "?metadata")]
    [InlineData("metadata.a=%00", "?metadata.a")]
    [InlineData("metadata.a=1&metadata.a=2", "?metadata.a")]
    public async Task A_filter_that_can_t_be_used_is_named(string query, string pointer)
    {
        using var response = await service.Api.SendAsync(HttpMethod.Get, $"/v1/jobs?{query}");
        Assert.Equal(pointer, (string?)(await ApiClient.ProblemAsync(response, 422, "invalid_field"))["errors"]![0]!["pointer"]);
    }

    [Fact]
    public async Task A_list_leaves_out_long_requests_and_has_a_tag()
    {
        string keep = string.Join(',', Enumerable.Repeat("\"layers.0.weight\"", 999));
        string id = await service.Api.AddJobAsync($$"""{"model":"{{service.Model}}","target":{"ratio":1.2},"keep":[{{keep}}],"metadata":{"long":"yes"} }""");
        using var first = await service.Api.SendAsync(HttpMethod.Get, "/v1/jobs?metadata.long=yes");
        var listed = JsonNode.Parse(await first.Content.ReadAsStringAsync(Cancellation))!["data"]!.AsArray().Single()!;
        Assert.Equal(id, (string?)listed["id"]);
        Assert.Null(listed["request"]);
        Assert.Equal(999, (await service.Api.GetAsync($"/v1/jobs/{id}"))["request"]!["keep"]!.AsArray().Count);

        using var again = await service.Api.SendAsync(HttpMethod.Get, "/v1/jobs?metadata.long=yes", null, ("If-None-Match", first.Headers.ETag!.ToString()));
        Assert.Equal(HttpStatusCode.NotModified, again.StatusCode);
        (await service.Api.SendAsync(HttpMethod.Post, $"/v1/jobs/{id}/cancel")).EnsureSuccessStatusCode();
        using var changed = await service.Api.SendAsync(HttpMethod.Get, "/v1/jobs?metadata.long=yes", null, ("If-None-Match", first.Headers.ETag!.ToString()));
        Assert.Equal(HttpStatusCode.OK, changed.StatusCode);
    }

    [Theory]
    [InlineData("/v1/jobs")]
    [InlineData("/v1/models")]
    [InlineData("/v1/datasets")]
    [InlineData("/v1/methods")]
    [InlineData("/v1/limits")]
    public async Task Every_document_answers_HEAD_and_304(string path)
    {
        using var get = await service.Api.SendAsync(HttpMethod.Get, path);
        using var head = await service.Api.SendAsync(HttpMethod.Head, path);
        Assert.Equal(HttpStatusCode.OK, head.StatusCode);
        Assert.Equal("application/json", head.Content.Headers.ContentType?.MediaType);
        Assert.Empty(await head.Content.ReadAsByteArrayAsync(Cancellation));
        using var known = await service.Api.SendAsync(HttpMethod.Get, path, null, ("If-None-Match", $"\"other\", {get.Headers.ETag}"));
        Assert.Equal(HttpStatusCode.NotModified, known.StatusCode);
    }

    [Fact]
    public async Task The_longest_metadata_is_stored_and_found()
    {
        string name = new('名', 100);
        string value = new('値', 500);
        string id = await AddAsync(new JsonObject { [name] = value });
        Assert.Equal([id], await IdsAsync($"/v1/jobs?metadata.{Uri.EscapeDataString(name)}={Uri.EscapeDataString(value)}"));
    }

    private Task<string> AddAsync(JsonObject metadata) =>
        service.Api.AddJobAsync(new JsonObject { ["model"] = service.Model, ["target"] = new JsonObject { ["ratio"] = 2 }, ["metadata"] = metadata }.ToJsonString());

    private async Task<string[]> IdsAsync(string path) => [.. (await service.Api.GetAsync(path))["data"]!.AsArray().Select(job => (string)job!["id"]!)];

    /// <summary>A service without a worker, with a model that is ready: jobs stay queued.</summary>
    public sealed class WithQueue() : RunningService("--Role=Api"), IAsyncLifetime
    {
        internal string Model { get; private set; } = "";

        async ValueTask IAsyncLifetime.InitializeAsync()
        {
            await InitializeAsync();
            using var uploaded = await Api.UploadAsync(SampleModels.Layers(4, 64, 48));
            Model = (string)(await ApiClient.CreatedAsync(uploaded))["id"]!;
            await using var scope = Scope();
            await scope.ServiceProvider.GetRequiredService<CondenseDbContext>().Models.ExecuteUpdateAsync(set => set.SetProperty(row => row.State, ModelState.Ready));
        }
    }
}
