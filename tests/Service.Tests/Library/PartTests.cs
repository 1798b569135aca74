using System.Net;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Condense.Service.Library;
using Condense.Service.Storage;
using Condense.Service.Tests.Uploads;
using Microsoft.EntityFrameworkCore;
using Xunit;
using static Condense.Models.Tests.Formats.Onnx.OnnxMessages;

namespace Condense.Service.Tests.Library;

/// <summary>Models of several files, on both databases.</summary>
public abstract class PartTests(UploadService service)
{
    private const int Rows = 96;
    private const int Columns = 64;

    private static readonly byte[] s_weights = Weights(9);
    private static readonly byte[] s_own = Weights(10);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private ApiClient Api => service.Running.Api;

    [Fact]
    public async Task A_graph_with_external_data_is_received_inspected_and_compressed()
    {
        string model = await BeginAsync("?name=outside");
        Assert.Equal("receiving", (string?)(await Api.GetAsync($"/v1/models/{model}"))["state"]);
        byte[] graph = Graph("w.bin");
        await AddAsync(model, "weights first.bin", [1, 2, 3]);
        await AddAsync(model, "w.bin", [1]);
        await AddAsync(model, "net.onnx", graph, $"sha-256=:{Convert.ToBase64String(SHA256.HashData(graph))}:");

        // Replaced, and one taken away.
        await AddAsync(model, "w.bin", s_own);
        using var removed = await Api.SendAsync(HttpMethod.Delete, $"/v1/models/{model}/parts/weights%20first.bin");
        Assert.Equal(HttpStatusCode.NoContent, removed.StatusCode);
        using var early = await Api.SendAsync(HttpMethod.Get, $"/v1/models/{model}/content");
        await ApiClient.ProblemAsync(early, 409, "model_not_ready");
        using var job = await Api.SendAsync(HttpMethod.Post, "/v1/jobs", ApiClient.Json($$"""{"model":"{{model}}","target":{"ratio":2} }"""));
        await ApiClient.ProblemAsync(job, 409, "model_not_ready");

        await CommitAsync(model);
        var document = await Api.UntilAsync($"/v1/models/{model}", found => (string?)found["state"] is "ready" or "rejected");
        Assert.Equal(("ready", "onnx", "outside"), ((string)document["state"]!, (string)document["format"]!, (string)document["name"]!));
        Assert.Equal(graph.Length + s_own.Length, (long)document["bytes"]!);
        Assert.Equal(Sha256(graph), (string?)document["sha256"]);
        Assert.Equal(
            [("net.onnx", graph.Length, Sha256(graph), true), ("w.bin", s_own.Length, Sha256(s_own), false)],
            document["parts"]!.AsArray().Select(part => ((string)part!["name"]!, (int)part["bytes"]!, (string)part["sha256"]!, (bool)part["main"]!)));

        using var content = await Api.SendAsync(HttpMethod.Get, $"/v1/models/{model}/content");
        Assert.Equal(graph, await content.Content.ReadAsByteArrayAsync(Cancellation));
        using var range = await Api.SendAsync(HttpMethod.Get, $"/v1/models/{model}/parts/w.bin", null, ("Range", "bytes=100-199"));
        Assert.Equal(s_own[100..200], await range.Content.ReadAsByteArrayAsync(Cancellation));
        Assert.Equal($"\"sha256-{Sha256(s_own)}\"", range.Headers.ETag?.ToString());

        var end = await Api.EndAsync(await Api.AddJobAsync(model, 2));
        Assert.Equal("succeeded", (string?)end["state"]);
        Assert.Equal(graph.Length + s_own.Length, (long)end["result"]!["bytesBefore"]!);
        Assert.True((double)end["result"]!["ratio"]! >= 2);

        // The runtime, where there is one, found the weights by their name.
        var report = await Api.GetAsync($"/v1/jobs/{(string)end["id"]!}/report");
        Assert.Equal(Environment.GetEnvironmentVariable("CONDENSE_ONNXRUNTIME_LIBRARY") is not null, report["outputDifference"] is not null);

        (await Api.SendAsync(HttpMethod.Delete, $"/v1/models/{model}")).EnsureSuccessStatusCode();
        Assert.False(await IsStoredAsync(s_own));
        Assert.Empty(await service.LeftAsync());
    }

    [Fact]
    public async Task Shards_with_their_index_are_one_model()
    {
        string model = await BeginAsync();
        await AddAsync(model, "a.safetensors", SampleModels.Named("first.weight"));
        await AddAsync(model, "b.safetensors", SampleModels.Named("second.weight"));
        await AddAsync(model, "model.safetensors.index.json", Index(("first.weight", "a.safetensors"), ("second.weight", "b.safetensors")));
        await CommitAsync(model);
        await Api.UntilAsync($"/v1/models/{model}", found => (string?)found["state"] == "ready");
        var layers = (await Api.GetAsync($"/v1/models/{model}/layers"))["layers"]!.AsArray();
        Assert.Equal(["first.weight", "second.weight"], layers.Select(layer => (string)layer!["name"]!));
        using var content = await Api.SendAsync(HttpMethod.Get, $"/v1/models/{model}/content");
        Assert.Equal("model.safetensors.index.json", content.Content.Headers.ContentDisposition!.FileName!.Trim('"'));
        var end = await Api.EndAsync(await Api.AddJobAsync(model, 2));
        Assert.Equal("succeeded", (string?)end["state"]);
    }

    [Fact]
    public async Task What_is_missing_or_too_much_is_named_and_can_be_mended()
    {
        string model = await BeginAsync();
        await AddAsync(model, "net.onnx", Graph("w.bin", "v.bin"));
        await AddAsync(model, "other.bin", s_weights);
        using var refused = await CommitAnswerAsync(model);
        var problem = await ApiClient.ProblemAsync(refused, 422, "parts_mismatch");
        Assert.Equal(["/parts/v.bin", "/parts/w.bin", "/parts/other.bin"], problem["errors"]!.AsArray().Select(error => (string)error!["pointer"]!));
        Assert.Equal("receiving", (string?)(await Api.GetAsync($"/v1/models/{model}"))["state"]);

        (await Api.SendAsync(HttpMethod.Delete, $"/v1/models/{model}/parts/other.bin")).Dispose();
        await AddAsync(model, "w.bin", s_weights);
        await AddAsync(model, "v.bin", s_weights[..100]);
        using var tooShort = await CommitAnswerAsync(model);
        await ApiClient.ProblemAsync(tooShort, 422, "unsafe_external_data");
        await AddAsync(model, "v.bin", s_weights);
        await CommitAsync(model);
        await Api.UntilAsync($"/v1/models/{model}", found => (string?)found["state"] == "ready");
    }

    [Fact]
    public async Task No_main_file_or_two_are_refused()
    {
        string model = await BeginAsync();
        using var empty = await CommitAnswerAsync(model);
        await ApiClient.ProblemAsync(empty, 422, "parts_mismatch");
        await AddAsync(model, "a.safetensors", SampleModels.Named("first.weight"));
        await AddAsync(model, "b.safetensors", SampleModels.Named("second.weight"));
        using var none = await CommitAnswerAsync(model);
        Assert.Contains("index", (string)(await ApiClient.ProblemAsync(none, 422, "parts_mismatch"))["detail"]!, StringComparison.Ordinal);
        await AddAsync(model, "one.onnx", Graph("w.bin"));
        await AddAsync(model, "two.onnx", Graph("v.bin"));
        using var two = await CommitAnswerAsync(model);
        Assert.Contains("one.onnx, two.onnx", (string)(await ApiClient.ProblemAsync(two, 422, "parts_mismatch"))["detail"]!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("a/b")]
    [InlineData("a\\b")]
    [InlineData("C:x")]
    [InlineData("a\0b")]
    [InlineData("a\r\nb")]
    [InlineData("/etc/passwd")]
    public async Task A_name_that_could_be_a_path_is_refused(string name)
    {
        string model = await BeginAsync();
        using var refused = await Api.SendAsync(HttpMethod.Post, $"/v1/models/{model}/parts?name={Uri.EscapeDataString(name)}", ApiClient.Bytes([1]));
        var problem = await ApiClient.ProblemAsync(refused, 422, "invalid_field");
        Assert.Equal("?name", (string?)problem["errors"]![0]!["pointer"]);
        Assert.Null((await Api.GetAsync($"/v1/models/{model}"))["parts"]);
    }

    [Theory]
    [InlineData("../w.bin")]
    [InlineData("a/../w.bin")]
    [InlineData("/w.bin")]
    [InlineData("C:\\w.bin")]
    [InlineData("\\\\host\\w.bin")]
    public async Task A_graph_that_points_outside_its_files_is_refused(string location)
    {
        string model = await BeginAsync();
        await AddAsync(model, "net.onnx", Graph(location));
        await AddAsync(model, "w.bin", s_weights);
        using var refused = await CommitAnswerAsync(model);
        await ApiClient.ProblemAsync(refused, 422, "unsafe_external_data");
    }

    [Fact]
    public async Task Names_numbers_and_bytes_are_bounded()
    {
        string model = await BeginAsync();
        await AddAsync(model, new string('n', 255), [1]);
        using var longName = await Api.SendAsync(HttpMethod.Post, $"/v1/models/{model}/parts?name={new string('n', 256)}", ApiClient.Bytes([1]));
        await ApiClient.ProblemAsync(longName, 422, "invalid_field");
        await AddAsync(model, "2", new byte[UploadService.Limit - 1]);
        using var full = await Api.SendAsync(HttpMethod.Post, $"/v1/models/{model}/parts?name=3", ApiClient.Bytes([1]));
        await ApiClient.ProblemAsync(full, 413, "payload_too_large");
        await AddAsync(model, "2", []);
        await AddAsync(model, "3", []);
        await AddAsync(model, "4", []);
        using var fifth = await Api.SendAsync(HttpMethod.Post, $"/v1/models/{model}/parts?name=5", ApiClient.Bytes([]));
        Assert.Contains("as many as", (string)(await ApiClient.ProblemAsync(fifth, 422, "invalid_field"))["detail"]!, StringComparison.Ordinal);

        using var digest = await Api.SendAsync(
            HttpMethod.Post, $"/v1/models/{model}/parts?name=4", ApiClient.Bytes([1]), ("Content-Digest", $"sha-256=:{Convert.ToBase64String(SHA256.HashData([2]))}:"));
        await ApiClient.ProblemAsync(digest, 400, "digest_mismatch");
        (await Api.SendAsync(HttpMethod.Delete, $"/v1/models/{model}")).EnsureSuccessStatusCode();
        Assert.Empty(await service.LeftAsync());
    }

    [Fact]
    public async Task What_is_committed_stays_as_it_is()
    {
        string model = await BeginAsync();
        await AddAsync(model, "only.safetensors", SampleModels.Named("first.weight"));
        await CommitAsync(model);
        using var again = await CommitAnswerAsync(model);
        await ApiClient.ProblemAsync(again, 409, "model_committed");
        using var added = await Api.SendAsync(HttpMethod.Post, $"/v1/models/{model}/parts?name=x", ApiClient.Bytes([1]));
        await ApiClient.ProblemAsync(added, 409, "model_committed");
        using var removed = await Api.SendAsync(HttpMethod.Delete, $"/v1/models/{model}/parts/only.safetensors");
        await ApiClient.ProblemAsync(removed, 409, "model_committed");
        using var body = await Api.SendAsync(HttpMethod.Post, "/v1/models?parts=true", ApiClient.Bytes([1]));
        await ApiClient.ProblemAsync(body, 422, "invalid_field");
        using var unknown = await Api.SendAsync(HttpMethod.Get, $"/v1/models/{model}/parts/none");
        await ApiClient.ProblemAsync(unknown, 404, "not_found");
        using var nowhere = await CommitAnswerAsync("mdl_NONE");
        await ApiClient.ProblemAsync(nowhere, 404, "not_found");
    }

    [Fact]
    public async Task A_form_and_a_resumable_upload_bring_files_too()
    {
        string model = await BeginAsync();
        using var form = new MultipartFormDataContent { { ApiClient.Bytes(Graph("w.bin")), "file", "net.onnx" } };
        using var posted = await Api.SendAsync(HttpMethod.Post, $"/v1/models/{model}/parts", form);
        Assert.Equal(HttpStatusCode.Created, posted.StatusCode);
        Assert.EndsWith($"/v1/models/{model}/parts/net.onnx", posted.Headers.Location!.ToString(), StringComparison.Ordinal);

        string upload = await service.Tus.CreateAsync(s_weights.Length, TusClient.Metadata(("model", model), ("filename", "w.bin")));
        using var first = await service.Tus.PatchAsync(upload, 0, s_weights[..1000]);
        using var last = await service.Tus.PatchAsync(upload, 1000, s_weights[1000..]);
        Assert.Equal((204, model), ((int)last.StatusCode, TusClient.Model(last)));
        await CommitAsync(model);
        await Api.UntilAsync($"/v1/models/{model}", found => (string?)found["state"] == "ready");

        using var late = await service.Tus.PostAsync("3", TusClient.Metadata(("model", model), ("part", "late.bin")));
        await ApiClient.ProblemAsync(late, 409, "model_committed");
        Assert.Empty(await service.LeftAsync());
    }

    [Fact]
    public async Task Files_that_come_at_once_are_all_there()
    {
        string model = await BeginAsync();
        byte[][] shards = [.. Enumerable.Range(0, 3).Select(i => SampleModels.Named($"layer{i}.weight"))];
        await Task.WhenAll(shards.Select((bytes, i) => AddAsync(model, $"{i}.safetensors", bytes)));
        await AddAsync(model, "x.safetensors.index.json", Index([.. shards.Select((_, i) => ($"layer{i}.weight", $"{i}.safetensors"))]));
        var document = await Api.GetAsync($"/v1/models/{model}");
        Assert.Equal(document["parts"]!.AsArray().Sum(part => (long)part!["bytes"]!), (long)document["bytes"]!);
        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => CommitAnswerAsync(model)));
        Assert.Single(answers, answer => answer.StatusCode == HttpStatusCode.Accepted);
        Assert.All(answers, answer => Assert.Contains((int)answer.StatusCode, new[] { 202, 409 }));
        Array.ForEach(answers, answer => answer.Dispose());
        await Api.UntilAsync($"/v1/models/{model}", found => (string?)found["state"] == "ready");
    }

    [Fact]
    public async Task The_main_file_is_known_by_its_bytes_whatever_its_name()
    {
        string model = await BeginAsync();
        await AddAsync(model, "graph", Graph("weights.onnx"));
        await AddAsync(model, "weights.onnx", s_weights);
        await CommitAsync(model);
        var parts = (await Api.UntilAsync($"/v1/models/{model}", found => (string?)found["state"] == "ready"))["parts"]!.AsArray();
        Assert.Equal("graph", (string?)parts.Single(part => (bool)part!["main"]!)!["name"]);
    }

    [Fact]
    public async Task Files_that_change_while_they_are_judged_are_not_committed()
    {
        string model = await BeginAsync();
        await AddAsync(model, "net.onnx", Graph("w.bin"));
        await AddAsync(model, "w.bin", s_weights);

        // As many models are opened as may be at once: the judge waits, and has looked at the files before.
        var opener = service.Running.Services.GetRequiredService<ModelOpener>();
        int taken = 0;
        for (; await opener.Places.WaitAsync(TimeSpan.Zero, Cancellation); taken++)
        {
        }

        var committing = CommitAnswerAsync(model);
        long start = TimeProvider.System.GetTimestamp();
        while (opener.Waiting == 0)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(90), "nobody waits for a place");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Cancellation);
        }

        await AddAsync(model, "w.bin", [1]);
        opener.Places.Release(taken);
        using var refused = await committing;
        await ApiClient.ProblemAsync(refused, 409, "resource_in_use");
        Assert.Equal("receiving", (string?)(await Api.GetAsync($"/v1/models/{model}"))["state"]);
    }

    private async Task<string> BeginAsync(string query = "")
    {
        using var response = await Api.SendAsync(HttpMethod.Post, $"/v1/models{(query.Length == 0 ? "?" : $"{query}&")}parts=true");
        return (string)(await ApiClient.CreatedAsync(response))["id"]!;
    }

    private async Task AddAsync(string model, string name, byte[] bytes, string? digest = null)
    {
        (string, string)[] headers = digest is null ? [] : [("Content-Digest", digest)];
        using var response = await Api.SendAsync(HttpMethod.Post, $"/v1/models/{model}/parts?name={Uri.EscapeDataString(name)}", ApiClient.Bytes(bytes), headers);
        string text = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.True(response.StatusCode == HttpStatusCode.Created, text);
        Assert.Equal((name, bytes.Length, Sha256(bytes)), ((string)JsonNode.Parse(text)!["name"]!, (int)JsonNode.Parse(text)!["bytes"]!, (string)JsonNode.Parse(text)!["sha256"]!));
    }

    private Task<HttpResponseMessage> CommitAnswerAsync(string model) => Api.SendAsync(HttpMethod.Post, $"/v1/models/{model}/commit");

    private async Task CommitAsync(string model)
    {
        using var response = await CommitAnswerAsync(model);
        string text = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.True(response.StatusCode == HttpStatusCode.Accepted, text);
        Assert.Equal("validating", (string?)JsonNode.Parse(text)!["state"]);
    }

    private async Task<bool> IsStoredAsync(byte[] bytes)
    {
        await using var scope = service.Running.Scope();
        string sha256 = Sha256(bytes);
        return await scope.ServiceProvider.GetRequiredService<CondenseDbContext>().Artifacts.AnyAsync(artifact => artifact.Sha256 == sha256, Cancellation);
    }

    /// <summary>One product per part, each weight in a file of its own.</summary>
    internal static byte[] Graph(params string[] locations)
    {
        var graph = GraphOf([.. locations.Select((_, i) => Node("MatMul", ["x", $"w{i}"], [$"y{i}"]))]);
        graph.Message(11, Value("x", F32, 1, Rows));
        for (int i = 0; i < locations.Length; i++)
        {
            graph.Message(12, Value($"y{i}", F32, 1, Columns));
            graph.Message(5, ExternalTensor($"w{i}", Rows, Columns, ("location", locations[i])));
        }

        return ModelOf(graph).ToArray();
    }

    internal static byte[] Weights(int seed)
    {
        var random = new Random(seed);
        float[] values = [.. Enumerable.Range(0, Rows * Columns).Select(_ => random.NextSingle() - 0.5f)];
        return System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan()).ToArray();
    }

    private static byte[] Index(params (string Tensor, string Shard)[] places)
    {
        var map = new JsonObject();
        foreach (var (tensor, shard) in places)
        {
            map[tensor] = shard;
        }

        return System.Text.Encoding.UTF8.GetBytes(new JsonObject { ["metadata"] = new JsonObject(), ["weight_map"] = map }.ToJsonString());
    }

    private static string Sha256(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}

public sealed class PartsOnSqliteTests(UploadsOnSqlite service) : PartTests(service), IClassFixture<UploadsOnSqlite>;

public sealed class PartsOnPostgresTests(UploadsOnPostgres service) : PartTests(service), IClassFixture<UploadsOnPostgres>;
