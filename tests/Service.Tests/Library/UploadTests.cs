using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Xunit;

namespace Condense.Service.Tests.Library;

public sealed class UploadTests(UploadTests.Small service) : IClassFixture<UploadTests.Small>
{
    private const int Limit = 100_000;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_model_becomes_ready_and_says_what_it_is()
    {
        byte[] bytes = SampleModels.Layers(2, 32, 16);
        string id = await service.Api.AddModelAsync(bytes);
        var model = await service.Api.GetAsync($"/v1/models/{id}");
        Assert.Equal("safetensors", (string?)model["format"]);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(bytes)), (string?)model["sha256"]);
        Assert.Equal(bytes.Length, (long)model["bytes"]!);
        Assert.Equal(2 * 32 * 16, (long)model["parameterCount"]!);
        Assert.Null(model["source"]);

        var layers = (await service.Api.GetAsync($"/v1/models/{id}/layers"))["layers"]!.AsArray();
        Assert.Equal(["layers.0.weight", "layers.1.weight"], layers.Select(layer => (string)layer!["name"]!));
        Assert.Contains("quantize", layers[0]!["methods"]!.AsArray().Select(method => (string)method!));
    }

    [Fact]
    public async Task A_form_with_one_file_is_taken_and_names_the_model()
    {
        using var form = new MultipartFormDataContent { { ApiClient.Bytes(SampleModels.Layers(1, 16, 8)), "file", "mine.safetensors" } };
        using var response = await service.Api.SendAsync(HttpMethod.Post, "/v1/models", form);
        Assert.Equal("mine.safetensors", (string?)(await ApiClient.CreatedAsync(response))["name"]);
    }

    [Fact]
    public async Task Two_uploads_of_the_same_bytes_are_two_models_and_one_file_which_goes_with_the_last()
    {
        byte[] bytes = SampleModels.Layers(1, 24, 24, seed: 77);
        string first = await service.Api.AddModelAsync(bytes);
        string second = await service.Api.AddModelAsync(bytes);
        Assert.NotEqual(first, second);
        Assert.Equal(1, await service.CopiesAsync(bytes));

        (await service.Api.SendAsync(HttpMethod.Delete, $"/v1/models/{first}")).EnsureSuccessStatusCode();
        Assert.Equal(1, await service.CopiesAsync(bytes));
        (await service.Api.SendAsync(HttpMethod.Delete, $"/v1/models/{second}")).EnsureSuccessStatusCode();
        Assert.Equal(0, await service.CopiesAsync(bytes));
        using var gone = await service.Api.SendAsync(HttpMethod.Get, $"/v1/models/{second}");
        await ApiClient.ProblemAsync(gone, 404, "not_found");
    }

    [Fact]
    public async Task A_pickle_that_would_run_code_is_refused_and_nothing_is_left()
    {
        using var content = new ByteArrayContent(SampleModels.HostilePickle());
        content.Headers.ContentType = new("application/octet-stream");
        using var response = await service.Api.SendAsync(HttpMethod.Post, "/v1/models", content);
        var problem = await ApiClient.ProblemAsync(response, 422, "unsafe_pickle");
        Assert.Contains("os", (string)problem["detail"]!, StringComparison.Ordinal);
        Assert.Contains("at byte", (string)problem["detail"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_archive_that_contradicts_itself_is_corrupt()
    {
        byte[] bytes = SampleModels.Npz(8, 4);
        bytes[^1] ^= 1;
        using var content = new ByteArrayContent(bytes);
        content.Headers.ContentType = new("application/octet-stream");
        using var response = await service.Api.SendAsync(HttpMethod.Post, "/v1/models", content);
        await ApiClient.ProblemAsync(response, 422, "corrupt_model");
    }

    [Fact]
    public async Task Arrays_are_compressed_and_come_back_in_the_format_asked_for()
    {
        string model = await service.Api.AddModelAsync(SampleModels.Npz(96, 64));
        Assert.Equal("npz", (string?)(await service.Api.GetAsync($"/v1/models/{model}"))["format"]);
        foreach (string format in new[] { "npz", "safetensors" })
        {
            using var response = await service.Api.SendAsync(
                HttpMethod.Post, "/v1/jobs", ApiClient.Json($$"""{"model":"{{model}}","target":{"ratio":2},"output":{"format":"{{format}}"} }"""));
            Assert.Equal(HttpStatusCode.Created, response.StatusCode);
            string id = (string)JsonNode.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!["id"]!;
            var job = await service.Api.EndAsync(id);
            Assert.Equal(("succeeded", format), ((string)job["state"]!, (string)job["result"]!["format"]!));
            using var file = await service.Api.SendAsync(HttpMethod.Get, $"/v1/models/{job["result"]!["model"]}/content");
            Assert.EndsWith($".{format}", file.Content.Headers.ContentDisposition!.FileName!.Trim('"'), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_NaN_rejects_the_model_and_names_tensor_and_index()
    {
        string id = await service.Api.AddModelAsync(SampleModels.WithNaN(1234), expected: "rejected");
        var finding = (await service.Api.GetAsync($"/v1/models/{id}"))["findings"]!.AsArray().Single()!;
        Assert.Equal("non_finite_weights", (string?)finding["code"]);
        Assert.Equal("bad.weight", (string?)finding["tensor"]);
        Assert.Contains("bad.weight", (string)finding["detail"]!, StringComparison.Ordinal);

        // As one number, or as row and column: 1234 = 25 · 48 + 34.
        Assert.Matches("1[,]?234|25.+34", (string)finding["detail"]!);
        using var job = await service.Api.SendAsync(HttpMethod.Post, "/v1/jobs", ApiClient.Json($$"""{"model":"{{id}}","target":{"ratio":2} }"""));
        var problem = await ApiClient.ProblemAsync(job, 409, "model_not_ready");
        Assert.False((bool)problem["retryable"]!);
    }

    [Theory]
    [InlineData("", "unsupported_format")]
    [InlineData("this is a text file named model.onnx, and no model at all", "unsupported_format")]
    public async Task A_file_that_is_no_model_is_refused_and_nothing_is_left(string text, string code)
    {
        using var response = await service.Api.UploadAsync(Encoding.UTF8.GetBytes(text));
        await ApiClient.ProblemAsync(response, 422, code);
        Assert.Empty(service.Files("staging"));
    }

    [Fact]
    public async Task A_truncated_model_is_corrupt()
    {
        using var response = await service.Api.UploadAsync(SampleModels.Layers(2, 32, 16)[..^100]);
        await ApiClient.ProblemAsync(response, 422, "corrupt_model");
        Assert.Empty(service.Files("staging"));
    }

    [Fact]
    public async Task The_limit_is_exact()
    {
        byte[] fits = new byte[Limit];
        using var taken = await service.Api.UploadAsync(fits);
        await ApiClient.ProblemAsync(taken, 422, "unsupported_format");
        using var refused = await service.Api.UploadAsync(new byte[Limit + 1]);
        await ApiClient.ProblemAsync(refused, 413, "payload_too_large");
        Assert.Empty(service.Files("staging"));
    }

    [Fact]
    public async Task The_limit_holds_for_a_form_and_for_a_body_of_unknown_length()
    {
        using var form = new MultipartFormDataContent { { ApiClient.Bytes(new byte[Limit + 1]), "file", "x" } };
        using var formResponse = await service.Api.SendAsync(HttpMethod.Post, "/v1/models", form);
        await ApiClient.ProblemAsync(formResponse, 413, "payload_too_large");

        using var chunked = new StreamContent(new MemoryStream(new byte[Limit + 1]));
        chunked.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        using var chunkedResponse = await service.Api.SendAsync(HttpMethod.Post, "/v1/models", chunked, ("Transfer-Encoding", "chunked"));
        await ApiClient.ProblemAsync(chunkedResponse, 413, "payload_too_large");
        Assert.Empty(service.Files("staging"));
    }

    [Fact]
    public async Task An_announced_digest_is_verified()
    {
        byte[] bytes = SampleModels.Layers(1, 8, 8);
        string right = Convert.ToBase64String(SHA256.HashData(bytes));
        using var good = await service.Api.UploadAsync(bytes, "", ("Content-Digest", $"sha-256=:{right}:"));
        Assert.Equal(HttpStatusCode.Created, good.StatusCode);

        string wrong = Convert.ToBase64String(SHA256.HashData([1]));
        using var bad = await service.Api.UploadAsync(bytes, "", ("Content-Digest", $"sha-256=:{wrong}:"));
        await ApiClient.ProblemAsync(bad, 400, "digest_mismatch");
        using var unread = await service.Api.UploadAsync(bytes, "", ("Content-Digest", "sha-512=:AAAA:"));
        await ApiClient.ProblemAsync(unread, 400, "malformed_header");
        Assert.Empty(service.Files("staging"));
    }

    [Fact]
    public async Task An_upload_that_is_cut_leaves_neither_row_nor_file()
    {
        int before = (await service.Api.GetAsync("/v1/models?limit=100"))["data"]!.AsArray().Count;
        using (var client = new TcpClient())
        {
            await client.ConnectAsync(service.Address.Host, service.Address.Port, Cancellation);
            string head = $"POST /v1/models HTTP/1.1\r\nHost: {service.Address.Authority}\r\nContent-Type: application/octet-stream\r\nContent-Length: 50000\r\n\r\n";
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(head), Cancellation);
            await client.GetStream().WriteAsync(new byte[20_000], Cancellation);
            while (service.Files("staging").Length == 0)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, Cancellation);
            }
        }

        while (service.Files("staging").Length > 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, Cancellation);
        }

        Assert.Equal(before, (await service.Api.GetAsync("/v1/models?limit=100"))["data"]!.AsArray().Count);
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/json")]
    [InlineData(null)]
    public async Task Another_content_type_is_not_taken(string? type)
    {
        using var content = new ByteArrayContent(SampleModels.Vector());
        content.Headers.ContentType = type is null ? null : new MediaTypeHeaderValue(type);
        using var response = await service.Api.SendAsync(HttpMethod.Post, "/v1/models", content);
        await ApiClient.ProblemAsync(response, 415, "unsupported_media_type");
    }

    [Fact]
    public async Task Names_are_text_of_bounded_length_without_control_characters()
    {
        byte[] bytes = SampleModels.Layers(1, 8, 8);
        string odd = "<script>alert(1)</script> \u202Eevil \u05D0\u05D1";
        using var taken = await service.Api.UploadAsync(bytes, $"?name={Uri.EscapeDataString(odd)}");
        var model = await ApiClient.CreatedAsync(taken);
        Assert.Equal(odd, (string?)model["name"]);
        using var content = await service.Api.SendAsync(HttpMethod.Get, $"/v1/models/{(string)model["id"]!}/content");
        Assert.Equal("nosniff", content.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.Equal("attachment", content.Content.Headers.ContentDisposition?.DispositionType);

        using var lines = await service.Api.UploadAsync(bytes, $"?name={Uri.EscapeDataString("a\r\nSet-Cookie: b")}");
        var problem = await ApiClient.ProblemAsync(lines, 422, "invalid_field");
        Assert.Equal("?name", (string?)problem["errors"]![0]!["pointer"]);
        using var longName = await service.Api.UploadAsync(bytes, $"?name={new string('x', 100_000)}");
        await ApiClient.ProblemAsync(longName, 422, "invalid_field");
    }

    [Fact]
    public async Task Pages_walk_through_every_model_once_newest_first()
    {
        for (int i = 0; i < 5; i++)
        {
            using var response = await service.Api.UploadAsync(SampleModels.Layers(1, 8, 8, i));
            await ApiClient.CreatedAsync(response);
        }

        string[] all = [.. (await service.Api.GetAsync("/v1/models?limit=100"))["data"]!.AsArray().Select(model => (string)model!["id"]!)];
        var walked = new List<string>();
        string? path = "/v1/models?limit=2";
        while (path is not null)
        {
            using var response = await service.Api.SendAsync(HttpMethod.Get, path);
            var page = System.Text.Json.Nodes.JsonNode.Parse(await response.Content.ReadAsStringAsync(Cancellation))!;
            walked.AddRange(page["data"]!.AsArray().Select(model => (string)model!["id"]!));
            path = page["nextCursor"] is { } cursor ? $"/v1/models?limit=2&cursor={(string)cursor!}" : null;
            Assert.Equal(path is null ? null : $"<{path}>; rel=\"next\"", response.Headers.TryGetValues("Link", out var link) ? link.Single() : null);
        }

        Assert.Equal(all.OrderDescending(StringComparer.Ordinal), walked);
        using var tooMany = await service.Api.SendAsync(HttpMethod.Get, "/v1/models?limit=101");
        await ApiClient.ProblemAsync(tooMany, 422, "invalid_field");
        using var noNumber = await service.Api.SendAsync(HttpMethod.Get, "/v1/models?limit=x");
        Assert.Equal("?limit", (string?)(await ApiClient.ProblemAsync(noNumber, 422, "invalid_field"))["errors"]![0]!["pointer"]);
        using var noCursor = await service.Api.SendAsync(HttpMethod.Get, "/v1/models?cursor=%21");
        await ApiClient.ProblemAsync(noCursor, 422, "invalid_field");
    }

    /// <summary>A service that takes small models only.</summary>
    public sealed class Small() : RunningService($"--Limits:ModelBytes={Limit}");
}
