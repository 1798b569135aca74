using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Condense.Service.Access;
using Microsoft.AspNetCore.Routing.Patterns;
using Xunit;

namespace Condense.Service.Tests.Access;

/// <summary>
/// A9: every endpoint that the service has × no key, an unknown key, an expired key, a key of another scope, another tenant's id. Endpoints are
/// found by reflection: a new one is under test from its first day, and one that this test has no recipe for fails it.
/// </summary>
public sealed partial class EveryEndpointTests(KeyedService service) : IClassFixture<KeyedService>
{
    /// <summary>What may be open: it shows nobody's data.</summary>
    private static readonly string[] s_open = ["GET /livez", "GET /readyz", "GET /startupz", "GET /metrics", "OPTIONS /v1/uploads"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void Every_endpoint_says_who_may_use_it()
    {
        var endpoints = Endpoints();
        Assert.NotEmpty(endpoints);
        foreach (var endpoint in endpoints)
        {
            Assert.True(endpoint.Needed is not null || endpoint.IsOpen, $"{endpoint} does not say who may use it.");
            Assert.False(endpoint.Needed is not null && endpoint.IsOpen, $"{endpoint} says two things.");
            Assert.True(endpoint.Needed is null || endpoint.Needed.Scope is null || Scope.All.Contains(endpoint.Needed.Scope), $"{endpoint} needs a scope that does not exist.");
            Assert.True(!endpoint.IsOpen || s_open.Contains(endpoint.ToString()), $"{endpoint} is open to everybody.");
        }
    }

    [Fact]
    public async Task Nobody_gets_in_without_the_right_key()
    {
        string tenant = "keys-of-all-kinds";
        string expired = await service.MakeAsync(tenant, service.Services.GetRequiredService<TimeProvider>().GetUtcNow().AddSeconds(-1), Scope.Admin);
        string unknown = KeyText.Create();
        var byScope = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var endpoint in Endpoints().Where(endpoint => endpoint.Needed is not null))
        {
            string path = Placeholder().Replace(endpoint.Template, "01JD8Y3Q4Z5X6W7V8T9S0R1Q2P");
            await RefusedAsync(service.Api, endpoint, path, 401, "unauthenticated");
            await RefusedAsync(service.With(unknown), endpoint, path, 401, "unauthenticated");
            await RefusedAsync(service.With(expired), endpoint, path, 401, "key_expired");
            if (endpoint.Needed!.Scope is { } needed)
            {
                if (!byScope.TryGetValue(needed, out string? others))
                {
                    byScope[needed] = others = await service.MakeAsync(tenant, null, [.. Scope.All.Where(scope => scope != needed && scope != Scope.Admin)]);
                }

                await RefusedAsync(service.With(others), endpoint, path, 403, "insufficient_scope", needed);
            }
        }
    }

    [Fact]
    public async Task Another_tenants_objects_are_as_if_they_were_not_there()
    {
        using var owner = service.With(await service.MakeAsync("owner", null, Scope.Admin));
        using var stranger = service.With(await service.MakeAsync("stranger", null, Scope.Admin));
        var world = await World.MakeAsync(owner, service, Endpoints());
        var endpoints = Endpoints().Where(endpoint => endpoint.Needed is not null).OrderBy(endpoint => endpoint.Method == "DELETE").ThenBy(endpoint => endpoint.Template, StringComparer.Ordinal);
        foreach (var endpoint in endpoints.Where(endpoint => endpoint.Template.Contains('{', StringComparison.Ordinal)))
        {
            var (path, ids) = world.Fill(endpoint);
            string nowhere = ids.Aggregate(path, (text, id) => text.Replace(id, Nonexistent(id), StringComparison.Ordinal));
            string foreign = await NotFoundAsync(stranger, endpoint, path);
            string absent = await NotFoundAsync(stranger, endpoint, nowhere);
            Assert.Equal(absent, ids.Aggregate(foreign, (text, id) => text.Replace(id, Nonexistent(id), StringComparison.Ordinal)));

            using var own = await SendAsync(owner, endpoint, path);
            int status = (int)own.StatusCode;
            Assert.True(status is not (401 or 403 or 404) and < 500, $"{endpoint}: its owner gets {status}: {await own.Content.ReadAsStringAsync(Cancellation)}");
        }
    }

    [Fact]
    public async Task No_list_shows_another_tenants_objects()
    {
        using var owner = service.With(await service.MakeAsync("lister", null, Scope.Admin));
        using var stranger = service.With(await service.MakeAsync("other-lister", null, Scope.Admin));
        var world = await World.MakeAsync(owner, service, Endpoints());
        var shown = new HashSet<string>(StringComparer.Ordinal);
        foreach (var endpoint in Endpoints().Where(endpoint => endpoint is { Method: "GET", Needed: not null } && !endpoint.Template.Contains('{', StringComparison.Ordinal)))
        {
            string mine = (await owner.GetAsync(endpoint.Template)).ToJsonString();
            string theirs = (await stranger.GetAsync(endpoint.Template)).ToJsonString();
            Assert.DoesNotContain(world.Ids, id => theirs.Contains(id, StringComparison.Ordinal));
            shown.UnionWith(world.Ids.Where(id => mine.Contains(id, StringComparison.Ordinal)));
        }

        // The owner sees all of it, or the test would see nothing for another reason.
        Assert.Equal(world.Listed.Order(StringComparer.Ordinal), shown.Intersect(world.Listed).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_job_can_not_name_another_tenants_objects()
    {
        using var owner = service.With(await service.MakeAsync("namer", null, Scope.Admin));
        using var stranger = service.With(await service.MakeAsync("other-namer", null, Scope.Admin));
        var world = await World.MakeAsync(owner, service, Endpoints());
        string model = await stranger.AddModelAsync(SampleModels.Table(64, 16));
        foreach (string json in new[]
        {
            $$$"""{"model":"{{{world["models"]}}}","target":{"ratio":2}}""",
            $$$"""{"model":"{{{model}}}","target":{"ratio":2},"frequencies":"{{{world["datasets"]}}}"}""",
        })
        {
            using var foreign = await stranger.SendAsync(HttpMethod.Post, "/v1/jobs", ApiClient.Json(json));
            string refused = Plain(await ApiClient.ProblemAsync(foreign, 404, "not_found"));
            using var nowhere = await stranger.SendAsync(HttpMethod.Post, "/v1/jobs", ApiClient.Json(Without(json, world)));
            Assert.Equal(Plain(await ApiClient.ProblemAsync(nowhere, 404, "not_found")), Without(refused, world));
        }
    }

    private static string Without(string text, World world) => world.Ids.Aggregate(text, (rest, id) => rest.Replace(id, Nonexistent(id), StringComparison.Ordinal));

    /// <summary>Every endpoint with its method, as the router knows them.</summary>
    private List<EndpointUnderTest> Endpoints() =>
    [
        .. service.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>().SelectMany(endpoint =>
            endpoint.Metadata.GetRequiredMetadata<HttpMethodMetadata>().HttpMethods.Select(method => new EndpointUnderTest(
                method,
                "/" + endpoint.RoutePattern.RawText!.Trim('/'),
                [.. endpoint.RoutePattern.Parameters],
                endpoint.Metadata.GetMetadata<NeededScope>(),
                endpoint.Metadata.GetMetadata<OpenEndpoint>() is not null))),
    ];

    private static async Task RefusedAsync(ApiClient client, EndpointUnderTest endpoint, string path, int status, string code, string? scope = null)
    {
        using var response = await SendAsync(client, endpoint, path);
        Assert.True(status == (int)response.StatusCode, $"{endpoint}: {(int)response.StatusCode} instead of {status}");
        Assert.StartsWith("Bearer", response.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
        if (endpoint.Method != "HEAD")
        {
            var problem = await ApiClient.ProblemAsync(response, status, code);
            Assert.True(scope is null || ((string)problem["detail"]!).Contains(scope, StringComparison.Ordinal), $"{endpoint} does not name {scope}.");
        }

        if (client.Http.DefaultRequestHeaders.Authorization is not null)
        {
            client.Dispose();
        }
    }

    private static async Task<string> NotFoundAsync(ApiClient client, EndpointUnderTest endpoint, string path)
    {
        using var response = await SendAsync(client, endpoint, path);
        Assert.True(response.StatusCode == HttpStatusCode.NotFound, $"{endpoint}: a stranger gets {(int)response.StatusCode}: {await response.Content.ReadAsStringAsync(Cancellation)}");
        string headers = string.Join(", ", response.Headers.Concat(response.Content.Headers).Select(header => header.Key).Where(name => name is not ("Date" or "Content-Length")).Order(StringComparer.Ordinal));
        return endpoint.Method == "HEAD" ? headers : headers + Plain(await ApiClient.ProblemAsync(response, 404, "not_found"));
    }

    private static string Plain(JsonNode problem)
    {
        problem.AsObject().Remove("traceId");
        return problem.ToJsonString();
    }

    private static Task<HttpResponseMessage> SendAsync(ApiClient client, EndpointUnderTest endpoint, string path)
    {
        var (content, headers) = Bodies.Of(endpoint);
        return client.SendAsync(new HttpMethod(endpoint.Method), path, content, headers);
    }

    /// <summary>An id of the same form that was never given.</summary>
    private static string Nonexistent(string id) => id[..^8] + "ZZZZZZZZ";

    [GeneratedRegex(@"\{[^}]+\}", RegexOptions.None, 1000)]
    private static partial Regex Placeholder();
}

/// <summary>One method of one address.</summary>
internal sealed record EndpointUnderTest(string Method, string Template, IReadOnlyList<RoutePatternParameterPart> Parameters, NeededScope? Needed, bool IsOpen)
{
    public override string ToString() => $"{Method} {Template}";
}
