using System.Text;
using System.Text.Json.Nodes;
using Condense.Service.Hosting;
using Microsoft.AspNetCore.Http.Metadata;
using Xunit;

namespace Condense.Service.Tests.Hosting;

/// <summary>What a new user gets wrong, at every address that takes a document: those that come later are tested, too.</summary>
public sealed class BadInputTests(BadInputTests.WithSmallBodies service) : IClassFixture<BadInputTests.WithSmallBodies>
{
    private const int Limit = 20_000;

    [Fact]
    public async Task Every_address_that_takes_a_document_says_what_is_wrong_with_it()
    {
        var endpoints = service.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Select(endpoint => (Endpoint: endpoint, Accepts: endpoint.Metadata.GetMetadata<IAcceptsMetadata>()))
            .Where(pair => pair.Accepts?.ContentTypes.Any(type => type.EndsWith("json", StringComparison.Ordinal)) == true)
            .ToList();
        Assert.True(endpoints.Count >= 2);
        foreach (var (endpoint, accepts) in endpoints)
        {
            long limit = endpoint.Metadata.GetRequiredMetadata<IRequestSizeLimitMetadata>().MaxRequestBodySize!.Value;
            string property = ApiJson.Options.GetTypeInfo(accepts!.RequestType!).Properties[0].Name;
            (string Body, string Type, int Status, string Code, string? Pointer)[] table =
            [
                ("{}", "text/plain", 415, "unsupported_media_type", null),
                ("{}", "application/x-www-form-urlencoded", 415, "unsupported_media_type", null),
                ("", "application/json", 400, "malformed_json", ""),
                ("null", "application/json", 400, "malformed_json", ""),
                ("{\n \"", "application/json", 400, "malformed_json", ""),
                ("{\n\n x}", "application/json", 400, "malformed_json", ""),
                ("[]", "application/json", 422, "invalid_field", ""),
                ("\"text\"", "application/json", 422, "invalid_field", ""),
                ("""{"frobnicate":1}""", "application/json", 422, "invalid_field", "/frobnicate"),
                ($$"""{"{{property}}":"\ud800"}""", "application/json", 422, "invalid_field", $"/{property}"),
                ("""{"\ud800":1}""", "application/json", 422, "invalid_field", null),
                ($$"""{"{{property}}":null,"{{property}}":null}""", "application/json", 422, "invalid_field", null),
                ($$"""{"frobnicate":{{string.Concat(Enumerable.Repeat("[", 40))}}{{new string(']', 40)}}}""", "application/json", 422, "invalid_field", null),
                ($$"""{"{{property}}":"{{new string('x', (int)limit)}}"}""", "application/json", 413, "payload_too_large", null),
            ];
            string path = endpoint.RoutePattern.RawText!.Replace("{id}", "mdl_NONE", StringComparison.Ordinal);
            var method = new HttpMethod(endpoint.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods[0]);
            foreach (var (body, type, status, code, pointer) in table)
            {
                using var response = await service.Api.SendAsync(method, path, new StringContent(body, Encoding.UTF8, type));
                Assert.True(status == (int)response.StatusCode, $"{method} {path} {type} {body[..int.Min(60, body.Length)]}: {(int)response.StatusCode}");
                var problem = await ApiClient.ProblemAsync(response, status, code);
                Assert.True(pointer is null || string.Equals(pointer, (string?)problem["errors"]![0]!["pointer"], StringComparison.Ordinal), $"{path} {body}: {problem.ToJsonString()}");
                Assert.DoesNotContain("Condense.", problem.ToJsonString(), StringComparison.Ordinal);
            }
        }
    }

    [Theory]
    [InlineData("PATCH", "/v1/models/{model}", """{"metadata":{"git":"\udc00"}}""", "/metadata")]
    [InlineData("PATCH", "/v1/models/{model}", """{"metadata":{"\ud800":"x"}}""", "/metadata")]
    [InlineData("POST", "/v1/jobs", """{"model":"{model}","layers":[{"match":"*","method":"quantize","settings":{"bits":"\ud800"}}]}""", "/layers/0/settings")]
    [InlineData("POST", "/v1/jobs", """{"model":"{model}","layers":[{"match":"*","method":"quantize","settings":{"a":[{"\ud800":1}]}}]}""", "/layers/0/settings")]
    public async Task A_text_that_is_no_Unicode_is_refused_in_its_place(string method, string path, string body, string pointer)
    {
        string model = await service.Api.AddModelAsync(SampleModels.Layers(1, 16, 16));
        using var response = await service.Api.SendAsync(
            new HttpMethod(method),
            path.Replace("{model}", model, StringComparison.Ordinal),
            ApiClient.Json(body.Replace("{model}", model, StringComparison.Ordinal)));
        Assert.Equal(pointer, (string?)(await ApiClient.ProblemAsync(response, 422, "invalid_field"))["errors"]![0]!["pointer"]);
    }

    [Fact]
    public async Task Every_list_refuses_a_filter_that_it_does_not_have()
    {
        string webhook = (string)(await ApiClient.CreatedAsync(await service.Api.SendAsync(
            HttpMethod.Post, "/v1/webhooks", ApiClient.Json("""{"url":"https://93.184.216.34/hooks"}"""))))["id"]!;
        var lists = Contract.Document.Paths.Where(path => path.Value.Operations!.TryGetValue(HttpMethod.Get, out var get) && get.Responses!["200"].Headers?.ContainsKey("Link") == true).ToList();
        Assert.True(lists.Count >= 6);
        foreach (var (path, _) in lists)
        {
            using var response = await service.Api.SendAsync(HttpMethod.Get, $"{path.Replace("{id}", webhook, StringComparison.Ordinal)}?stat=failed");
            var problem = await ApiClient.ProblemAsync(response, 422, "invalid_field");
            Assert.Equal("?stat", (string?)problem["errors"]![0]!["pointer"]);
        }
    }

    [Theory]
    [InlineData("POST", "/v1/models?parts=yes", "?parts", "true or false")]
    [InlineData("GET", "/v1/jobs?limit=many", "?limit", "A number")]
    public async Task A_parameter_that_does_not_parse_is_told_with_what_belongs_there(string method, string path, string pointer, string expected)
    {
        using var response = await service.Api.SendAsync(new HttpMethod(method), path);
        var problem = await ApiClient.ProblemAsync(response, 422, "invalid_field");
        Assert.Equal(pointer, (string?)problem["errors"]![0]!["pointer"]);
        Assert.Contains(expected, (string)problem["detail"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Broken_JSON_is_told_with_its_line()
    {
        using var response = await service.Api.SendAsync(HttpMethod.Post, "/v1/jobs", ApiClient.Json("{\n\n \"model\" 1}"));
        Assert.Contains("line 3", (string)(await ApiClient.ProblemAsync(response, 400, "malformed_json"))["detail"]!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("DELETE", "/v1/jobs")]
    [InlineData("PUT", "/v1/models/mdl_1")]
    [InlineData("PATCH", "/v1/datasets")]
    [InlineData("POST", "/v1/usage")]
    public async Task A_method_that_an_address_does_not_take_is_told_with_those_that_it_does(string method, string path)
    {
        using var response = await service.Api.SendAsync(new HttpMethod(method), path);
        await ApiClient.ProblemAsync(response, 405, "method_not_allowed");
        Assert.Contains("GET", response.Content.Headers.Allow);
    }

    [Fact]
    public async Task A_document_of_exactly_the_limit_is_read()
    {
        string start = """{"model":"mdl_01JD8Y3Q4Z5X6W7V8T9S0R1Q2P","target":{"ratio":2}""";
        using var exact = await service.Api.SendAsync(HttpMethod.Post, "/v1/jobs", ApiClient.Json($"{start}{new string(' ', Limit - start.Length - 1)}}}"));
        await ApiClient.ProblemAsync(exact, 404, "not_found");
        using var over = await service.Api.SendAsync(HttpMethod.Post, "/v1/jobs", ApiClient.Json($"{start}{new string(' ', Limit - start.Length)}}}"));
        Assert.Contains($"at most {Limit} bytes", (string)(await ApiClient.ProblemAsync(over, 413, "payload_too_large"))["detail"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_id_with_a_null_character_is_no_id()
    {
        using var job = await service.Api.SendAsync(
            HttpMethod.Post, "/v1/jobs", ApiClient.Json(new JsonObject { ["model"] = "mdl_\0", ["target"] = new JsonObject { ["ratio"] = 2 } }.ToJsonString()));
        await ApiClient.ProblemAsync(job, 404, "not_found");
        using var frequencies = await service.Api.SendAsync(
            HttpMethod.Post,
            "/v1/jobs",
            ApiClient.Json(new JsonObject { ["model"] = await service.Api.AddModelAsync(SampleModels.Layers(1, 16, 16)), ["target"] = new JsonObject { ["ratio"] = 1.2 }, ["frequencies"] = "dst_\0" }.ToJsonString()));
        await ApiClient.ProblemAsync(frequencies, 404, "not_found");
    }

    [Fact]
    public async Task What_a_client_sent_comes_back_shortened()
    {
        using var response = await service.Api.SendAsync(HttpMethod.Get, $"/v1/models/{new string('x', 100_000)}");
        Assert.InRange(((string)(await ApiClient.ProblemAsync(response, 404, "not_found"))["detail"]!).Length, 1, 5_000);
    }

    [Fact]
    public async Task A_request_line_without_end_is_refused()
    {
        using var response = await service.Api.SendAsync(HttpMethod.Get, $"/v1/jobs?model={new string('x', 60_000)}");
        await ApiClient.ProblemAsync(response, 422, "invalid_field");
    }

    /// <summary>A service that takes short documents.</summary>
    public sealed class WithSmallBodies() : RunningService($"--Limits:JobBytes={Limit}");
}
