using System.Net;
using System.Text.Json.Nodes;
using Condense.Service.Access;
using Xunit;

namespace Condense.Service.Tests.Access;

public sealed class QuotaTests
{
    [Fact]
    public async Task Of_fifty_at_once_exactly_the_quota_is_made()
    {
        await using var service = await RunningService.StartAsync("--Quotas:Models=10");
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(seed => CreateModelAsync(service.Api, seed)));
        Assert.Equal(10, answers.Count(status => status == HttpStatusCode.Created));
        Assert.Equal(40, answers.Count(status => status == HttpStatusCode.TooManyRequests));
        Assert.Equal(10, (await service.Api.GetAsync("/v1/models?limit=100"))["data"]!.AsArray().Count);
        Assert.Empty(service.Files("staging"));
    }

    [Fact]
    public async Task Of_fifty_at_once_on_two_nodes_exactly_the_quota_is_made()
    {
        string[] database = await RunningService.PostgresSettingsAsync();
        await using var one = await KeyedService.StartKeyedAsync([.. database, "--Quotas:Keys=11"]);
        await using var other = await KeyedService.StartKeyedAsync([.. database, "--Quotas:Keys=11"]);
        using var first = one.With(KeyedService.FirstKey);
        using var second = other.With(KeyedService.FirstKey);
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(async i =>
        {
            using var response = await (i % 2 == 0 ? first : second).SendAsync(HttpMethod.Post, "/v1/api-keys", ApiClient.Json("""{"name":"one of many","scopes":["jobs:read"]}"""));
            return response.StatusCode;
        }));
        Assert.Equal(10, answers.Count(status => status == HttpStatusCode.Created));
        Assert.Equal(40, answers.Count(status => status == HttpStatusCode.TooManyRequests));
        Assert.Equal(11, (await second.GetAsync("/v1/api-keys?limit=100"))["data"]!.AsArray().Count);
    }

    [Fact]
    public async Task Two_admins_on_two_nodes_can_not_lock_each_other_out()
    {
        string[] database = await RunningService.PostgresSettingsAsync();
        await using var one = await KeyedService.StartKeyedAsync(database);
        await using var other = await KeyedService.StartKeyedAsync(database);
        using var first = one.With(await one.MakeAsync("pair", null, Scope.Admin));
        string mine = (string)(await first.GetAsync("/v1/api-keys"))["data"]![0]!["id"]!;
        using var second = other.With(await one.MakeAsync("pair", null, Scope.Admin));
        string theirs = (string)(await second.GetAsync("/v1/api-keys"))["data"]![0]!["id"]!;
        Assert.Equal((1, 1), await DeleteBothAsync(first, second, theirs, mine));
    }

    [Fact]
    public async Task Bytes_beyond_the_quota_are_refused_and_nothing_is_left_of_them()
    {
        byte[] model = SampleModels.Table(64, 64);
        byte[] other = SampleModels.Layers(1, 64, 80, seed: 3);
        await using var service = await RunningService.StartAsync($"--Quotas:StoredBytes={(2 * model.Length) + 100}");
        string id = await service.Api.AddModelAsync(model);
        Assert.NotEqual(id, await service.Api.AddModelAsync(model));

        // With an announced length nothing is read; without one it is found out at the end.
        foreach ((string, string)[] headers in new (string, string)[][] { [], [("Transfer-Encoding", "chunked")] })
        {
            using var response = await service.Api.UploadAsync(other, "", headers);
            var problem = await ApiClient.ProblemAsync(response, 429, "quota_exceeded");
            Assert.False((bool)problem["retryable"]!);
            Assert.Null(response.Headers.RetryAfter);
        }

        string counts = string.Join(',', Enumerable.Repeat("123456", model.Length / 4));
        using (var response = await service.Api.SendAsync(HttpMethod.Post, "/v1/datasets", ApiClient.Json($$"""{"counts":[{{counts}}]}""")))
        {
            await ApiClient.ProblemAsync(response, 429, "quota_exceeded");
        }

        Assert.Empty(service.Files("staging"));
        await service.Api.AddModelAsync(SampleModels.Table(32, 32));
    }

    [Fact]
    public async Task What_a_job_makes_is_kept_beyond_the_quota_and_the_next_job_waits()
    {
        byte[] model = SampleModels.Layers(1, 128, 96);
        await using var service = await RunningService.StartAsync($"--Quotas:StoredBytes={model.Length + 100}", "--Quotas:Models=1");
        string id = await service.Api.AddModelAsync(model);
        var job = await service.Api.EndAsync(await service.Api.AddJobAsync(id, 2));
        Assert.Equal("succeeded", (string?)job["state"]);

        // What was measured for the first job holds for a second; a job that slips in before that goes to its end.
        var refused = await service.Api.SendAsync(HttpMethod.Post, "/v1/jobs", ApiClient.Json(JobOf(id)));
        while (refused.StatusCode == HttpStatusCode.Created)
        {
            await service.Api.EndAsync((string)(await ApiClient.CreatedAsync(refused))["id"]!);
            refused.Dispose();
            refused = await service.Api.SendAsync(HttpMethod.Post, "/v1/jobs", ApiClient.Json(JobOf(id)));
        }

        await ApiClient.ProblemAsync(refused, 429, "quota_exceeded");
        refused.Dispose();
        foreach (var result in (await service.Api.GetAsync("/v1/models"))["data"]!.AsArray().Where(item => (string)item!["id"]! != id))
        {
            using var deleted = await service.Api.SendAsync(HttpMethod.Delete, $"/v1/models/{result!["id"]}");
            Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        }

        await service.Api.EndAsync(await service.Api.AddJobAsync(id, 2));
    }

    [Fact]
    public async Task A_tenant_may_have_a_quota_of_its_own()
    {
        await using var service = await KeyedService.StartKeyedAsync("--Quotas:UnfinishedJobs=0", "--Quotas:Tenants:acme:UnfinishedJobs=5", "--Quotas:Tenants:acme:Models=7");
        using var poor = service.With(KeyedService.FirstKey);
        using var rich = service.With(await service.MakeAsync("acme", null, Scope.Admin));
        byte[] model = SampleModels.Layers(1, 64, 48);
        string own = await poor.AddModelAsync(model);
        using (var response = await poor.SendAsync(HttpMethod.Post, "/v1/jobs", ApiClient.Json(JobOf(own))))
        {
            var problem = await ApiClient.ProblemAsync(response, 429, "quota_exceeded");
            Assert.True((bool)problem["retryable"]!);
            Assert.NotNull(response.Headers.RetryAfter);
        }

        await rich.EndAsync(await rich.AddJobAsync(await rich.AddModelAsync(model), 1.5));
        Assert.Equal(0, (int)(await poor.GetAsync("/v1/limits"))["quotas"]!["unfinishedJobs"]!);
        var quotas = (await rich.GetAsync("/v1/limits"))["quotas"]!;
        Assert.Equal((5, 7), ((int)quotas["unfinishedJobs"]!, (int)quotas["models"]!));
    }

    private static async Task<HttpStatusCode> CreateModelAsync(ApiClient client, int seed)
    {
        using var response = await client.UploadAsync(SampleModels.Layers(1, 16, 16, seed));
        if (response.StatusCode != HttpStatusCode.Created)
        {
            await ApiClient.ProblemAsync(response, 429, "quota_exceeded");
        }

        return response.StatusCode;
    }

    private static string JobOf(string model) => new JsonObject { ["model"] = model, ["target"] = new JsonObject { ["ratio"] = 1.5 } }.ToJsonString();

    private static async Task<(int Deleted, int Refused)> DeleteBothAsync(ApiClient first, ApiClient second, string theirs, string mine)
    {
        var answers = await Task.WhenAll(
            first.SendAsync(HttpMethod.Delete, $"/v1/api-keys/{theirs}"),
            second.SendAsync(HttpMethod.Delete, $"/v1/api-keys/{mine}"));
        var statuses = answers.Select(answer => answer.StatusCode).ToList();
        Array.ForEach(answers, answer => answer.Dispose());

        // The loser finds that it is the last, or that its own key is gone already.
        return (statuses.Count(status => status == HttpStatusCode.NoContent), statuses.Count(status => status is HttpStatusCode.Conflict or HttpStatusCode.Unauthorized));
    }
}
