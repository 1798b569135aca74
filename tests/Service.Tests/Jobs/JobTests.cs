using System.Net;
using System.Security.Cryptography;
using Xunit;

namespace Condense.Service.Tests.Jobs;

public sealed class JobTests(RunningService service) : IClassFixture<RunningService>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_job_makes_a_smaller_model_with_a_report_and_gapless_events()
    {
        string model = await service.Api.AddModelAsync(SampleModels.Layers(3, 64, 48));
        string id = await service.Api.AddJobAsync($$"""{"model":"{{model}}","target":{"ratio":2.5},"seed":7,"metadata":{"git":"<b>"} }""");
        var job = await service.Api.EndAsync(id);
        Assert.Equal("succeeded", (string?)job["state"]);
        Assert.Equal("metTarget", (string?)job["outcome"]);
        Assert.Equal("<b>", (string?)job["request"]!["metadata"]!["git"]);
        Assert.Equal("succeeded", (string?)job["attempts"]!.AsArray().Single()!["endReason"]);
        Assert.Null(job["error"]);

        // What the job says of its result is what the result is.
        var result = job["result"]!;
        using var content = await service.Api.SendAsync(HttpMethod.Get, (string)job["links"]!["content"]!);
        byte[] bytes = await content.Content.ReadAsByteArrayAsync(Cancellation);
        Assert.Equal((long)result["bytesAfter"]!, bytes.Length);
        Assert.Equal((string?)result["digest"], Convert.ToHexStringLower(SHA256.HashData(bytes)));
        Assert.True((double)result["ratio"]! >= 2.5);
        var made = await service.Api.GetAsync($"/v1/models/{(string)result["model"]!}");
        Assert.Equal(("ready", id), ((string)made["state"]!, (string)made["source"]!["job"]!));

        var events = (await service.Api.GetAsync($"/v1/jobs/{id}/events"))["data"]!.AsArray();
        Assert.Equal(Enumerable.Range(1, events.Count), events.Select(item => (int)item!["sequence"]!));
        string[] types = [.. events.Select(item => (string)item!["type"]!)];
        Assert.Equal(["job.queued", "job.started"], types[..2]);
        Assert.Equal("job.succeeded", types[^1]);
        var rest = (await service.Api.GetAsync($"/v1/jobs/{id}/events?after=2"))["data"]!.AsArray();
        Assert.Equal(events.Count - 2, rest.Count);

        var report = await service.Api.GetAsync($"/v1/jobs/{id}/report");
        Assert.Equal((string?)result["digest"], (string?)report["digestAfter"]);
        Assert.Equal(7, (int)report["seed"]!);
        Assert.False(Directory.Exists(Path.Combine(service.Folder, "jobs", id)));
    }

    [Fact]
    public async Task The_report_comes_in_the_form_that_is_accepted()
    {
        string model = await service.Api.AddModelAsync(SampleModels.Layers(1, 64, 48));
        string id = await service.Api.AddJobAsync(model, 2);
        await service.Api.EndAsync(id);
        (string Accept, int Status, string? Type)[] table =
        [
            ("*/*", 200, "application/json"),
            ("application/*", 200, "application/json"),
            ("text/markdown", 200, "text/markdown"),
            ("application/json;q=0.5, text/markdown", 200, "text/markdown"),
            ("application/json, text/*;q=0.9", 200, "application/json"),
            ("text/html", 200, "text/html"),
            ("text/html;q=0.4, text/markdown;q=0.5", 200, "text/markdown"),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", 200, "text/html"),
            ("image/png", 406, "application/problem+json"),
            ("application/json;q=0", 406, "application/problem+json"),
        ];
        foreach (var (accept, status, type) in table)
        {
            using var response = await service.Api.SendAsync(HttpMethod.Get, $"/v1/jobs/{id}/report", null, ("Accept", accept));
            Assert.Equal((accept, status, type), (accept, (int)response.StatusCode, response.Content.Headers.ContentType?.MediaType));
        }

        using var refused = await service.Api.SendAsync(HttpMethod.Get, $"/v1/jobs/{id}/report", null, ("Accept", "image/png"));
        await ApiClient.ProblemAsync(refused, 406, "not_acceptable");
    }

    [Fact]
    public async Task A_finished_job_answers_304_and_can_t_be_canceled()
    {
        string model = await service.Api.AddModelAsync(SampleModels.Layers(1, 64, 48));
        string id = await service.Api.AddJobAsync(model, 2);
        await service.Api.EndAsync(id);
        using var first = await service.Api.SendAsync(HttpMethod.Get, $"/v1/jobs/{id}");
        Assert.Null(first.Headers.RetryAfter);
        using var second = await service.Api.SendAsync(HttpMethod.Get, $"/v1/jobs/{id}", null, ("If-None-Match", first.Headers.ETag!.ToString()));
        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
        using var cancel = await service.Api.SendAsync(HttpMethod.Post, $"/v1/jobs/{id}/cancel");
        await ApiClient.ProblemAsync(cancel, 409, "job_already_finished");
        Assert.Equal("succeeded", (string?)(await service.Api.GetAsync($"/v1/jobs/{id}"))["state"]);
    }

    [Fact]
    public async Task A_model_without_compressible_weights_is_kept_byte_for_byte()
    {
        byte[] bytes = SampleModels.Vector();
        string model = await service.Api.AddModelAsync(bytes);
        Assert.Equal("nothing_compressible", (string?)(await service.Api.GetAsync($"/v1/models/{model}"))["findings"]![0]!["code"]);
        var job = await service.Api.EndAsync(await service.Api.AddJobAsync(model, 2));
        Assert.Equal(("succeeded", "notWorthwhile"), ((string)job["state"]!, (string)job["outcome"]!));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(bytes)), (string?)job["result"]!["digest"]);
    }

    [Fact]
    public async Task The_same_request_gives_the_same_bytes_and_lists_can_be_narrowed()
    {
        string model = await service.Api.AddModelAsync(SampleModels.Layers(2, 64, 48, seed: 3));
        string first = await service.Api.AddJobAsync(model, 3);
        string second = await service.Api.AddJobAsync(model, 3);
        var one = await service.Api.EndAsync(first);
        var two = await service.Api.EndAsync(second);
        Assert.Equal((string?)one["result"]!["digest"], (string?)two["result"]!["digest"]);
        Assert.NotEqual((string?)one["result"]!["model"], (string?)two["result"]!["model"]);

        var listed = (await service.Api.GetAsync($"/v1/jobs?model={model}&state=succeeded"))["data"]!.AsArray();
        Assert.Equal([second, first], listed.Select(job => (string)job!["id"]!));
        Assert.Empty((await service.Api.GetAsync($"/v1/jobs?model={model}&state=failed"))["data"]!.AsArray());
    }

    [Fact]
    public async Task Fixed_layers_need_no_target()
    {
        string model = await service.Api.AddModelAsync(SampleModels.Layers(2, 64, 48, seed: 4));
        string id = await service.Api.AddJobAsync(
            $$"""{"model":"{{model}}","layers":[{"match":"layers.0.*","method":"low-rank","settings":{"rank":5} }]}""");
        Assert.Equal("succeeded", (string?)(await service.Api.EndAsync(id))["state"]);
        var layers = (await service.Api.GetAsync($"/v1/jobs/{id}/report"))["layers"]!.AsArray();
        Assert.Equal(["low-rank", "keep"], layers.Select(layer => (string)layer!["method"]!));
    }
}
