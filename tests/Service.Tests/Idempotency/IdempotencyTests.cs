using System.Net;
using System.Text.Json.Nodes;
using Condense.Service.Idempotency;
using Condense.Service.Library;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace Condense.Service.Tests.Idempotency;

public sealed class IdempotencyTests(IdempotencyTests.WithQueue service) : IClassFixture<IdempotencyTests.WithQueue>
{
    private const string Header = "Idempotency-Key";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_first_answer_comes_again_and_nothing_is_made_twice()
    {
        using var first = await PostJobAsync("again", Job(2.125));
        var job = await ApiClient.CreatedAsync(first);
        Assert.False(first.Headers.Contains("Idempotent-Replayed"));
        (await service.Api.SendAsync(HttpMethod.Post, $"/v1/jobs/{(string)job["id"]!}/cancel")).EnsureSuccessStatusCode();

        // The job has gone on meanwhile; the answer has not.
        using var second = await PostJobAsync("again", Job(2.125));
        Assert.Equal("true", second.Headers.GetValues("Idempotent-Replayed").Single());
        Assert.Equal(first.Headers.Location, second.Headers.Location);
        Assert.Equal(first.Headers.RetryAfter, second.Headers.RetryAfter);
        Assert.Equal(first.Content.Headers.ContentType, second.Content.Headers.ContentType);
        Assert.Equal(job.ToJsonString(), (await ApiClient.CreatedAsync(second)).ToJsonString());
        Assert.Equal(1, await service.CountAsync(Job(2.125)));
    }

    [Fact]
    public async Task A_key_with_another_body_query_or_address_is_refused()
    {
        using var first = await PostJobAsync("one-request", Job(1.5));
        string id = (string)(await ApiClient.CreatedAsync(first))["id"]!;
        using var body = await PostJobAsync("one-request", Job(1.6));
        await ApiClient.ProblemAsync(body, 422, "idempotency_key_reused");
        using var address = await service.Api.SendAsync(HttpMethod.Post, $"/v1/jobs/{id}/cancel", null, (Header, "one-request"));
        await ApiClient.ProblemAsync(address, 422, "idempotency_key_reused");
        using var query = await service.Api.SendAsync(HttpMethod.Post, "/v1/jobs?x=1", ApiClient.Json(Job(1.5)), (Header, "one-request"));
        await ApiClient.ProblemAsync(query, 422, "idempotency_key_reused");
        Assert.Equal(0, await service.CountAsync(Job(1.6)));
    }

    [Fact]
    public async Task Fifty_requests_at_once_make_one_job()
    {
        string[] ids = await Task.WhenAll(Enumerable.Range(0, 50).Select(async _ =>
        {
            while (true)
            {
                using var response = await PostJobAsync("fifty", Job(1.7));
                if (response.StatusCode == HttpStatusCode.Created)
                {
                    return (string)(await ApiClient.CreatedAsync(response))["id"]!;
                }

                await ApiClient.ProblemAsync(response, 409, "idempotency_in_progress");
                Assert.NotNull(response.Headers.RetryAfter);
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, Cancellation);
            }
        }));
        Assert.Single(ids.Distinct(StringComparer.Ordinal));
        Assert.Equal(1, await service.CountAsync(Job(1.7)));
    }

    [Fact]
    public async Task A_final_refusal_comes_again_and_one_that_may_pass_does_not()
    {
        using var refused = await PostJobAsync("refused", Job(0));
        using var again = await PostJobAsync("refused", Job(0));
        Assert.Equal("true", again.Headers.GetValues("Idempotent-Replayed").Single());
        Assert.Equal(
            (string?)(await ApiClient.ProblemAsync(refused, 422, "invalid_field"))["traceId"], (string?)(await ApiClient.ProblemAsync(again, 422, "invalid_field"))["traceId"]);

        using var broken = await PostJobAsync("broken", "{");
        await ApiClient.ProblemAsync(broken, 400, "malformed_json");

        // Not ready today may be ready tomorrow: the key is free again.
        string body = $$"""{"model":"{{service.Validating}}","target":{"ratio":2} }""";
        using var early = await PostJobAsync("early", body);
        await ApiClient.ProblemAsync(early, 409, "model_not_ready");
        await service.SetReadyAsync();
        using var late = await PostJobAsync("early", body);
        await ApiClient.CreatedAsync(late);
    }

    [Fact]
    public async Task An_upload_is_known_by_its_bytes_also_in_a_form_with_another_boundary()
    {
        byte[] bytes = SampleModels.Layers(1, 40, 30, seed: 77);
        using var first = await service.Api.UploadAsync(bytes, "?name=a", (Header, "upload"));
        using var second = await service.Api.UploadAsync(bytes, "?name=a", (Header, "upload"));
        Assert.Equal((string?)(await ApiClient.CreatedAsync(first))["id"], (string?)(await ApiClient.CreatedAsync(second))["id"]);
        bytes[^1] ^= 1;
        using var other = await service.Api.UploadAsync(bytes, "?name=a", (Header, "upload"));
        await ApiClient.ProblemAsync(other, 422, "idempotency_key_reused");

        using var one = await service.Api.SendAsync(HttpMethod.Post, "/v1/models", Form(bytes, "----a"), (Header, "form"));
        using var two = await service.Api.SendAsync(HttpMethod.Post, "/v1/models", Form(bytes, "another-boundary"), (Header, "form"));
        Assert.Equal((string?)(await ApiClient.CreatedAsync(one))["id"], (string?)(await ApiClient.CreatedAsync(two))["id"]);
        using var three = await service.Api.SendAsync(HttpMethod.Post, "/v1/models", Form([.. bytes, 0], "----a"), (Header, "form"));
        await ApiClient.ProblemAsync(three, 422, "idempotency_key_reused");
    }

    [Theory]
    [InlineData("")]
    [InlineData("two words")]
    [InlineData("tab\tbed")]
    [InlineData(256)]
    public async Task A_key_that_is_none_is_refused(object key)
    {
        using var response = await PostJobAsync(key as string ?? new string('k', (int)key), Job(2));
        Assert.Contains("255", (string)(await ApiClient.ProblemAsync(response, 400, "malformed_header"))["detail"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_claim_holds_its_key_until_it_has_run_out()
    {
        await using var scope = service.Scope();
        var keys = scope.ServiceProvider.GetRequiredService<IdempotencyKeys>();
        var db = scope.ServiceProvider.GetRequiredService<CondenseDbContext>();
        var (claimedAt, first) = await keys.ClaimAsync("claimed", Cancellation);
        Assert.Null(first);
        using var running = await PostJobAsync("claimed", Job(1.8));
        await ApiClient.ProblemAsync(running, 409, "idempotency_in_progress");

        // As if its process had died and thirty seconds had passed.
        await db.IdempotencyRecords.Where(row => row.Key == "claimed").ExecuteUpdateAsync(set => set.SetProperty(row => row.RunningUntil, 1), Cancellation);
        using var taken = await PostJobAsync("claimed", Job(1.8));
        await ApiClient.CreatedAsync(taken);

        // The first one wakes up: it must neither commit nor take anything back.
        await keys.RenewAsync("claimed", claimedAt, Cancellation);
        await keys.ReleaseAsync("claimed", claimedAt);
        var request = scope.ServiceProvider.GetRequiredService<IdempotentRequest>();
        request.Held = new IdempotentRequest.Claim("claimed", claimedAt, KeepsBody: true, () => "");
        request.AnswerWith<int>(_ => new KeptAnswer(201, new Dictionary<string, string>(StringComparer.Ordinal), "{}"));
        var transaction = scope.ServiceProvider.GetRequiredService<WriteTransaction>();
        await Assert.ThrowsAsync<Condense.Service.Problems.ProblemException>(() => transaction.RunAsync(_ => Task.FromResult(1), Cancellation));
        using var replayed = await PostJobAsync("claimed", Job(1.8));
        Assert.True(replayed.Headers.Contains("Idempotent-Replayed"));
        Assert.Equal(1, await service.CountAsync(Job(1.8)));
    }

    [Fact]
    public async Task After_a_day_a_key_is_new()
    {
        using var first = await PostJobAsync("old", Job(1.9));
        await ApiClient.CreatedAsync(first);
        await using (var scope = service.Scope())
        {
            var db = scope.ServiceProvider.GetRequiredService<CondenseDbContext>();
            var record = await db.IdempotencyRecords.SingleAsync(row => row.Key == "old", Cancellation);
            await db.IdempotencyRecords.Where(row => row.Key == "old").ExecuteUpdateAsync(
                set => set.SetProperty(row => row.CreatedAt, record.CreatedAt.AddHours(-24).AddSeconds(-1)), Cancellation);
        }

        using var second = await PostJobAsync("old", Job(1.9));
        Assert.False(second.Headers.Contains("Idempotent-Replayed"));
        Assert.NotEqual(first.Headers.Location, second.Headers.Location);
        Assert.Equal(2, await service.CountAsync(Job(1.9)));
    }

    private static MultipartFormDataContent Form(byte[] bytes, string boundary) => new(boundary) { { ApiClient.Bytes(bytes), "file", "a.safetensors" } };

    private string Job(double ratio) =>
        new JsonObject { ["model"] = service.Model, ["target"] = new JsonObject { ["ratio"] = ratio } }.ToJsonString();

    private Task<HttpResponseMessage> PostJobAsync(string key, string body) =>
        service.Api.SendAsync(HttpMethod.Post, "/v1/jobs", ApiClient.Json(body), (Header, key));

    /// <summary>A service without a worker, with a model that is ready and one that is not: jobs stay queued.</summary>
    public sealed class WithQueue() : RunningService("--Role=Api"), IAsyncLifetime
    {
        internal string Model { get; private set; } = "";

        internal string Validating { get; private set; } = "";

        async ValueTask IAsyncLifetime.InitializeAsync()
        {
            await InitializeAsync();
            Model = await AddAsync(1);
            await SetReadyAsync();
            Validating = await AddAsync(2);
        }

        internal async Task SetReadyAsync()
        {
            await using var scope = Scope();
            await scope.ServiceProvider.GetRequiredService<CondenseDbContext>().Models.ExecuteUpdateAsync(set => set.SetProperty(row => row.State, ModelState.Ready));
        }

        /// <summary>Jobs with the target of a request.</summary>
        internal async Task<int> CountAsync(string body)
        {
            double ratio = (double)JsonNode.Parse(body)!["target"]!["ratio"]!;
            var jobs = (await Api.GetAsync("/v1/jobs?limit=100"))["data"]!.AsArray();
            return jobs.Count(job => (double)job!["request"]!["target"]!["ratio"]! == ratio);
        }

        private async Task<string> AddAsync(int seed)
        {
            using var uploaded = await Api.UploadAsync(SampleModels.Layers(2, 64, 48, seed));
            return (string)(await ApiClient.CreatedAsync(uploaded))["id"]!;
        }
    }
}
