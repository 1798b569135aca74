using System.Net;
using System.Text.Json.Nodes;
using Condense.Service.Access;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace Condense.Service.Tests.Access;

public sealed class KeyTests(KeyedService service) : IClassFixture<KeyedService>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_key_is_shown_once_and_kept_as_a_digest()
    {
        using var admin = service.With(KeyedService.FirstKey);
        using var response = await admin.SendAsync(HttpMethod.Post, "/v1/api-keys", ApiClient.Json("""{"name":"ci","scopes":["jobs:read","models:read"]}"""));
        var made = await ApiClient.CreatedAsync(response);
        Assert.True(response.Headers.CacheControl!.NoStore);
        string key = (string)made["key"]!;
        Assert.StartsWith((string)made["prefix"]!, key, StringComparison.Ordinal);

        var seen = await admin.GetAsync($"/v1/api-keys/{made["id"]}");
        Assert.Null(seen["key"]);
        Assert.Equal(["models:read", "jobs:read"], seen["scopes"]!.AsArray().Select(scope => (string)scope!));
        string list = (await admin.GetAsync("/v1/api-keys")).ToJsonString();
        Assert.Contains((string)made["id"]!, list, StringComparison.Ordinal);
        Assert.DoesNotContain(key, list, StringComparison.Ordinal);

        await using var scope = service.Scope();
        var row = await scope.ServiceProvider.GetRequiredService<CondenseDbContext>().ApiKeys.SingleAsync(row => row.Id == (string)made["id"]!, Cancellation);
        Assert.Equal(KeyText.Digest(key), row.Sha256);
        Assert.DoesNotContain(key, System.Text.Json.JsonSerializer.Serialize(row), StringComparison.Ordinal);

        using var ci = service.With(key);
        Assert.NotNull(await ci.GetAsync("/v1/jobs"));
        Assert.NotNull((await admin.GetAsync($"/v1/api-keys/{made["id"]}"))["lastUsedAt"]);
    }

    [Fact]
    public async Task With_If_Match_only_the_version_that_the_client_knows_is_revoked()
    {
        using var admin = service.With(KeyedService.FirstKey);
        using var response = await admin.SendAsync(HttpMethod.Post, "/v1/api-keys", ApiClient.Json("""{"name":"perhaps-in-use","scopes":["jobs:read"]}"""));
        var made = await ApiClient.CreatedAsync(response);
        string path = $"/v1/api-keys/{made["id"]}";
        using var unused = await admin.SendAsync(HttpMethod.Get, path);

        // Somebody uses it after all: its document says when.
        using var user = service.With((string)made["key"]!);
        Assert.NotNull(await user.GetAsync("/v1/jobs"));
        using var kept = await admin.SendAsync(HttpMethod.Delete, path, null, ("If-Match", unused.Headers.ETag!.ToString()));
        await ApiClient.ProblemAsync(kept, 412, "precondition_failed");
        using var used = await admin.SendAsync(HttpMethod.Get, path);
        using var revoked = await admin.SendAsync(HttpMethod.Delete, path, null, ("If-Match", used.Headers.ETag!.ToString()));
        Assert.Equal(HttpStatusCode.NoContent, revoked.StatusCode);
    }

    [Fact]
    public async Task A_revoked_key_is_refused_by_the_next_request()
    {
        using var admin = service.With(KeyedService.FirstKey);
        using var response = await admin.SendAsync(HttpMethod.Post, "/v1/api-keys", ApiClient.Json("""{"name":"short-lived","scopes":["jobs:read"]}"""));
        var made = await ApiClient.CreatedAsync(response);
        using var client = service.With((string)made["key"]!);
        Assert.NotNull(await client.GetAsync("/v1/jobs"));

        using var deleted = await admin.SendAsync(HttpMethod.Delete, $"/v1/api-keys/{made["id"]}");
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        using var refused = await client.SendAsync(HttpMethod.Get, "/v1/jobs");
        await ApiClient.ProblemAsync(refused, 401, "unauthenticated");
        using var again = await admin.SendAsync(HttpMethod.Delete, $"/v1/api-keys/{made["id"]}");
        await ApiClient.ProblemAsync(again, 404, "not_found");
    }

    [Theory]
    [InlineData("Bearer", "holds no key")]
    [InlineData("Bearer ", "holds no key")]
    [InlineData("Bearer cnd_live_short", "holds no key")]
    [InlineData("Bearer sk_live_0000000000111111111122222222223333333333444444444455", "holds no key")]
    [InlineData("Bearer cnd_live_00000000001111111111222222222233333333334444444444é5", "holds no key")]
    [InlineData("Basic Y25kX2xpdmVfMDAw", "holds no key")]
    [InlineData("cnd_live_0000000000111111111122222222223333333333444444444455", "holds no key")]
    [InlineData("Bearer cnd_live_0000000000111111111122222222223333333333444444444456", "no such key")]
    public async Task A_header_without_a_key_is_refused_and_not_repeated(string header, string words)
    {
        // .NET's client keeps letters beyond ASCII out of headers; a plain socket does not.
        var (status, body, answer) = await RawAsync($"GET /v1/jobs HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: {header}\r\n\r\n");
        Assert.Equal(401, status);
        Assert.Contains("WWW-Authenticate: Bearer error=\"invalid_token\"", answer, StringComparison.Ordinal);
        Assert.Contains(words, (string)body["detail"]!, StringComparison.Ordinal);
        Assert.DoesNotContain(header.Split(' ')[^1] is { Length: > 20 } secret ? secret : "no secret", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_headers_with_keys_are_refused()
    {
        string header = $"Authorization: Bearer {KeyedService.FirstKey}\r\n";
        var (status, _, _) = await RawAsync($"GET /v1/jobs HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{header}{header}\r\n");
        Assert.Equal(401, status);
    }

    [Theory]
    [InlineData("""{"name":"","scopes":["admin"]}""", "/name")]
    [InlineData("""{"name":"a\nb","scopes":["admin"]}""", "/name")]
    [InlineData("""{"name":"a","scopes":[]}""", "/scopes")]
    [InlineData("""{"name":"a","scopes":["admin","root"]}""", "/scopes/1")]
    [InlineData("""{"name":"a","scopes":["Admin"]}""", "/scopes/0")]
    [InlineData("""{"name":"a","scopes":["admin"],"expiresAt":"2001-01-01T00:00:00Z"}""", "/expiresAt")]
    [InlineData("""{"name":"a","scopes":["admin"],"expiresAt":"9999-12-31T23:59:59Z"}""", "/expiresAt")]
    [InlineData("""{"name":"a","scopes":["admin"],"expiresAt":"tomorrow"}""", "/expiresAt")]
    [InlineData("""{"name":"a","scopes":["admin"],"expiresAt":"2027-01-01T00:00:00"}""", "/expiresAt")]
    [InlineData("""{"name":"a","scopes":["admin"],"tenant":"other"}""", "/tenant")]
    public async Task A_bad_request_names_the_place(string json, string pointer)
    {
        using var admin = service.With(KeyedService.FirstKey);
        using var response = await admin.SendAsync(HttpMethod.Post, "/v1/api-keys", ApiClient.Json(json));
        var problem = await ApiClient.ProblemAsync(response, 422, "invalid_field");
        Assert.Contains(problem["errors"]!.AsArray(), error => (string?)error!["pointer"] == pointer);
    }

    [Fact]
    public async Task An_idempotency_key_does_not_keep_the_answer_that_holds_a_key()
    {
        using var admin = service.With(KeyedService.FirstKey);
        using var response = await admin.SendAsync(
            HttpMethod.Post, "/v1/api-keys", ApiClient.Json("""{"name":"once","scopes":["jobs:read"]}"""), ("Idempotency-Key", "a-key-for-a-key"));
        string key = (string)(await ApiClient.CreatedAsync(response))["key"]!;
        await using var scope = service.Scope();
        var records = await scope.ServiceProvider.GetRequiredService<CondenseDbContext>().IdempotencyRecords.ToListAsync(Cancellation);
        Assert.DoesNotContain(key, System.Text.Json.JsonSerializer.Serialize(records), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_last_admin_key_stays()
    {
        string first = await service.MakeAsync("lonely", null, Scope.Admin);
        await service.MakeAsync("lonely", service.Services.GetRequiredService<TimeProvider>().GetUtcNow().AddSeconds(-1), Scope.Admin);
        using var admin = service.With(first);
        string id = (string)(await admin.GetAsync("/v1/api-keys"))["data"]![1]!["id"]!;
        using var refused = await admin.SendAsync(HttpMethod.Delete, $"/v1/api-keys/{id}");
        var problem = await ApiClient.ProblemAsync(refused, 409, "resource_in_use");
        Assert.False((bool)problem["retryable"]!);

        await service.MakeAsync("lonely", null, Scope.Admin);
        using var deleted = await admin.SendAsync(HttpMethod.Delete, $"/v1/api-keys/{id}");
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
    }

    [Fact]
    public async Task A_revoked_first_key_does_not_come_back_when_the_others_have_expired()
    {
        string text = KeyText.Create();
        var now = service.Services.GetRequiredService<TimeProvider>().GetUtcNow();
        await using var scope = service.Scope("leaked");
        var ring = scope.ServiceProvider.GetRequiredService<KeyRing>();
        var db = scope.ServiceProvider.GetRequiredService<CondenseDbContext>();
        Assert.True(await ring.BootstrapAsync("leaked", text, Cancellation));
        Assert.False(await ring.BootstrapAsync("leaked", text, Cancellation));
        string first = await db.ApiKeys.Select(row => row.Id).SingleAsync(Cancellation);
        await service.MakeAsync("leaked", now.AddDays(90), Scope.Admin);
        await ring.RevokeAsync(first, _ => { }, Cancellation);
        await db.ApiKeys.ExecuteUpdateAsync(set => set.SetProperty(row => row.ExpiresAt, now.AddSeconds(-1)), Cancellation);

        Assert.False(await ring.BootstrapAsync("leaked", text, Cancellation));
        using var client = service.With(text);
        using var refused = await client.SendAsync(HttpMethod.Get, "/v1/jobs");
        await ApiClient.ProblemAsync(refused, 401, "unauthenticated");
    }

    [Fact]
    public async Task The_description_of_the_api_needs_no_key_and_says_which_operations_do()
    {
        using var page = await service.Api.SendAsync(HttpMethod.Get, "/swagger/index.html");
        Assert.True(page.IsSuccessStatusCode);
        var document = await service.Api.GetAsync("/swagger/v1/swagger.json");
        Assert.Equal("bearer", (string?)document["components"]!["securitySchemes"]!["key"]!["scheme"]);
        Assert.NotNull(document["paths"]!["/v1/jobs"]!["get"]!["security"]);
        Assert.NotNull(document["paths"]!["/v1/jobs"]!["get"]!["responses"]!["401"]);
        Assert.Null(document["paths"]!["/livez"]!["get"]!["security"]);
    }

    private async Task<(int Status, JsonNode Body, string Answer)> RawAsync(string request)
    {
        using var client = new System.Net.Sockets.TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, service.Address.Port, Cancellation);
        var stream = client.GetStream();
        await stream.WriteAsync(System.Text.Encoding.UTF8.GetBytes(request), Cancellation);
        using var reader = new StreamReader(stream);
        string answer = await reader.ReadToEndAsync(Cancellation);
        int from = answer.IndexOf('{', StringComparison.Ordinal);
        return (int.Parse(answer.AsSpan(9, 3), System.Globalization.CultureInfo.InvariantCulture), JsonNode.Parse(answer[from..(answer.LastIndexOf('}') + 1)])!, answer);
    }
}
