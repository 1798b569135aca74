using System.Text;
using Xunit;

namespace Condense.Service.Tests.Jobs;

public sealed class JobRequestTests(JobRequestTests.WithModel service) : IClassFixture<JobRequestTests.WithModel>
{
    [Theory]
    [InlineData("{bad", "")]
    [InlineData("""{"model":"MODEL","target":{"ratio":NaN}}""", "/target/ratio")]
    [InlineData("", "")]
    [InlineData("null", "")]
    public async Task What_is_not_JSON_is_malformed(string body, string pointer)
    {
        using var response = await PostAsync(body);
        var problem = await ApiClient.ProblemAsync(response, 400, "malformed_json");
        Assert.Equal(pointer, (string?)problem["errors"]![0]!["pointer"]);
    }

    [Theory]
    [InlineData("""{"model":"MODEL","target":{"ratio":0}}""", "/target/ratio")]
    [InlineData("""{"model":"MODEL","target":{"ratio":-1}}""", "/target/ratio")]
    [InlineData("""{"model":"MODEL","target":{"ratio":1e999}}""", "/target/ratio")]
    [InlineData("""{"model":"MODEL","target":{"ratio":"3"}}""", "/target/ratio")]
    [InlineData("""{"model":"MODEL","target":{"bytes":1.5}}""", "/target/bytes")]
    [InlineData("""{"model":"MODEL","target":{"bitsPerWeight":0}}""", "/target/bitsPerWeight")]
    [InlineData("""{"model":"MODEL","target":{"ratio":2,"bytes":9}}""", "/target")]
    [InlineData("""{"model":"MODEL","target":{}}""", "/target")]
    [InlineData("""{"model":"MODEL","target":{"maxLoss":0.1}}""", "/target/maxLoss")]
    [InlineData("""{"model":"MODEL"}""", "/target")]
    [InlineData("""{"model":"MODEL","target":{"ratio":2},"webhook":{"link":"x"}}""", "/webhook/link")]
    [InlineData("""{"model":"MODEL","target":{"ratio":2},"calibration":"dst_1"}""", "/calibration")]
    [InlineData("""{"model":"MODEL","model":"MODEL"}""", "/model")]
    [InlineData("""{"model":3}""", "/model")]
    [InlineData("""{"model":null}""", "/model")]
    [InlineData("""{"target":{"ratio":2}}""", "")]
    [InlineData("""{"model":"MODEL","target":{"ratio":2},"seed":-1}""", "/seed")]
    [InlineData("""{"model":"MODEL","target":{"ratio":2},"priority":10}""", "/priority")]
    [InlineData("""{"model":"MODEL","target":{"ratio":2},"methods":["low-rnk"]}""", "/methods/0")]
    [InlineData("""{"model":"MODEL","target":{"ratio":2},"methods":[null]}""", "/methods/0")]
    [InlineData("""{"model":"MODEL","target":{"ratio":2},"metadata":{"a":1}}""", "/metadata/a")]
    [InlineData("""{"model":"MODEL","target":{"ratio":2},"output":{"format":"gguf"}}""", "/output/format")]
    [InlineData("""{"model":"MODEL","target":{"ratio":2},"output":{"format":"onnx"}}""", "/output/format")]
    [InlineData("""{"model":"MODEL","target":{"ratio":2},"output":{"opset":21}}""", "/output/opset")]
    [InlineData("""{"model":"MODEL","target":{"ratio":2},"output":{"opset":"new"}}""", "/output/opset")]
    [InlineData("""{"model":"MODEL","target":{"ratio":2},"output":{"form":"dense"}}""", "/output/form")]
    [InlineData("""{"model":"MODEL","target":{"ratio":2},"output":{"form":"archive"}}""", "/output/form")]
    [InlineData("""{"model":"MODEL","layers":[{"match":"*","method":"low-rank","settings":{"rnk":4}}]}""", "/layers/0/settings/rnk")]
    [InlineData("""{"model":"MODEL","target":{"bytes":9223372036854775808}}""", "/target/bytes")]
    [InlineData("""{"model":"MODEL","target":{"ratio":2},"seed":18446744073709551616}""", "/seed")]
    [InlineData("""{"model":"MODEL","target":{"ratio":2},"priority":1e400}""", "/priority")]
    [InlineData("""{"model":"MODEL","target":{"ratio":"NaN"}}""", "/target/ratio")]
    [InlineData("""{"model":"MODEL","target":{"ratio":-0}}""", "/target/ratio")]
    [InlineData("""{"model":"MODEL","target":{"ratio":2},"metadata":{"a":"\ud800"}}""", "/metadata/a")]
    [InlineData("""{"model":"MODEL","target":{"ratio":2},"expiresAt":"2001-01-01T00:00:00Z"}""", "/expiresAt")]
    [InlineData("""{"model":"MODEL","target":{"ratio":2},"expiresAt":"2999-01-01T00:00:00"}""", "/expiresAt")]
    [InlineData("""{"model":"MODEL","target":{"ratio":2},"expiresAt":1e9}""", "/expiresAt")]
    [InlineData("""{"model":"MODEL","target":{"ratio":2},"constraints":{"maxSeconds":0}}""", "/constraints/maxSeconds")]
    [InlineData("""{"model":"MODEL","target":{"ratio":2},"constraints":{"maxSeconds":1e400}}""", "/constraints/maxSeconds")]
    [InlineData("""{"model":"MODEL","target":{"ratio":2},"constraints":{"maxCoffee":3}}""", "/constraints/maxCoffee")]
    [InlineData("""{"model":"MODEL","target":{"ratio":2},"assertions":{"minRatio":-1}}""", "/assertions/minRatio")]
    [InlineData("""{"model":"MODEL","target":{"ratio":2},"assertions":{"maxPerplexityRise":0.1}}""", "/assertions/maxPerplexityRise")]
    [InlineData("""{"model":"MODEL","target":{"ratio":2},"metadata":{"":"x"}}""", "/metadata")]
    [InlineData("""{"model":"MODEL","target":{"ratio":2},"metadata":{"a/b":"\u0000"}}""", "/metadata/a~1b")]
    [InlineData("""{"model":"MODEL","target":{"ratio":2},"metadata":{"a":null}}""", "/metadata/a")]
    public async Task A_field_that_can_t_be_used_is_named_by_its_pointer(string body, string pointer)
    {
        using var response = await PostAsync(body);
        var problem = await ApiClient.ProblemAsync(response, 422, "invalid_field");
        Assert.Contains(pointer, problem["errors"]!.AsArray().Select(error => (string?)error!["pointer"]));
        Assert.DoesNotContain("Condense.", (string)problem["detail"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_wrong_with_the_document_and_with_the_model_comes_in_one_answer()
    {
        using var response = await PostAsync(
            """{"model":"MODEL","target":{"ratio":0},"priority":10,"methods":["low-rnk"],"layers":[{"match":"layer.0.weight","method":"quantize","settings":{"bits":8}}],"keep":["layers.9.weight"],"output":{"format":"onnx"}}""");
        var problem = await ApiClient.ProblemAsync(response, 422, "invalid_field");
        Assert.Equal(
            ["/keep/0", "/layers/0/match", "/layers/0/settings/bits", "/methods/0", "/output/format", "/priority", "/target/ratio"],
            problem["errors"]!.AsArray().Select(error => (string)error!["pointer"]!).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_misspelt_method_is_offered_the_nearest()
    {
        using var response = await PostAsync("""{"model":"MODEL","target":{"ratio":2},"methods":["low-rnk"]}""");
        Assert.Contains("low-rank", (string)(await ApiClient.ProblemAsync(response, 422, "invalid_field"))["detail"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_misspelt_layer_is_offered_the_nearest()
    {
        using var response = await PostAsync("""{"model":"MODEL","layers":[{"match":"layer.0.weight","method":"quantize"}]}""");
        var problem = await ApiClient.ProblemAsync(response, 422, "unknown_layer");
        Assert.Equal("/layers/0/match", (string?)problem["errors"]![0]!["pointer"]);
        Assert.Contains("layers.0.weight", (string)problem["detail"]!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("10000")]
    [InlineData("1e308")]
    public async Task A_target_out_of_reach_is_refused_with_the_nearest_that_can_be_met(string ratio)
    {
        using var response = await PostAsync($$"""{"model":"MODEL","target":{"ratio":{{ratio}} } }""");
        double nearest = (double)(await ApiClient.ProblemAsync(response, 422, "infeasible_target"))["nearest"]!["ratio"]!;
        Assert.InRange(nearest, 1.0, 9999.0);
    }

    [Fact]
    public async Task A_job_for_a_deleted_model_finds_nothing()
    {
        string model = await service.Api.AddModelAsync(SampleModels.Layers(1, 16, 16, seed: 9));
        (await service.Api.SendAsync(HttpMethod.Delete, $"/v1/models/{model}")).EnsureSuccessStatusCode();
        using var response = await PostAsync($$"""{"model":"{{model}}","target":{"ratio":2} }""");
        await ApiClient.ProblemAsync(response, 404, "not_found");
    }

    [Fact]
    public async Task Another_type_too_deep_a_document_and_too_long_a_one_are_refused()
    {
        using var text = await service.Api.SendAsync(HttpMethod.Post, "/v1/jobs", new StringContent("{}", Encoding.UTF8, "text/plain"));
        await ApiClient.ProblemAsync(text, 415, "unsupported_media_type");
        using var deep = await PostAsync($$"""{"model":"MODEL","layers":[{"match":"*","method":"quantize","settings":{{string.Concat(Enumerable.Repeat("{\"a\":", 40))}}1{{new string('}', 40)}} }]}""");
        await ApiClient.ProblemAsync(deep, 400, "malformed_json");
        using var huge = await PostAsync($$"""{"model":"{{new string('x', 30_000)}}"}""");
        await ApiClient.ProblemAsync(huge, 413, "payload_too_large");
    }

    [Fact]
    public async Task Unknown_jobs_states_and_sequences_are_named()
    {
        using var job = await service.Api.SendAsync(HttpMethod.Get, "/v1/jobs/job_NONE");
        await ApiClient.ProblemAsync(job, 404, "not_found");
        using var events = await service.Api.SendAsync(HttpMethod.Get, "/v1/jobs/job_NONE/events");
        await ApiClient.ProblemAsync(events, 404, "not_found");
        using var cancel = await service.Api.SendAsync(HttpMethod.Post, "/v1/jobs/job_NONE/cancel");
        await ApiClient.ProblemAsync(cancel, 404, "not_found");
        using var state = await service.Api.SendAsync(HttpMethod.Get, "/v1/jobs?state=lost");
        Assert.Equal("?state", (string?)(await ApiClient.ProblemAsync(state, 422, "invalid_field"))["errors"]![0]!["pointer"]);
        using var after = await service.Api.SendAsync(HttpMethod.Get, "/v1/jobs/job_NONE/events?after=-1");
        await ApiClient.ProblemAsync(after, 422, "invalid_field");
    }

    private Task<HttpResponseMessage> PostAsync(string body) =>
        service.Api.SendAsync(HttpMethod.Post, "/v1/jobs", ApiClient.Json(body.Replace("MODEL", service.Model, StringComparison.Ordinal)));

    /// <summary>A service with a model that is ready.</summary>
    public sealed class WithModel() : RunningService("--Limits:JobBytes=20000"), IAsyncLifetime
    {
        internal string Model { get; private set; } = "";

        async ValueTask IAsyncLifetime.InitializeAsync()
        {
            await InitializeAsync();
            Model = await Api.AddModelAsync(SampleModels.Layers(2, 48, 32));
        }
    }
}
