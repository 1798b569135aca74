using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Xunit;

namespace Condense.Service.Tests.Uploads;

/// <summary>The protocol, on both databases.</summary>
public abstract class TusTests(UploadService service)
{
    private const int Commit = 4 << 20;

    /// <summary>More than two commits, and a rest.</summary>
    private static readonly byte[] s_model = SampleModels.Layers(3, 1024, 1000, seed: 41);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private TusClient Tus => service.Tus;

    private ApiClient Api => service.Running.Api;

    [Fact]
    public async Task A_file_in_pieces_becomes_a_model()
    {
        string upload = await Tus.CreateAsync(s_model.Length, TusClient.Metadata(("filename", "mine.safetensors"), ("note", "x")));
        int[] ends = [1, 5_000_000, 5_000_001, 10_000_000, s_model.Length];
        int at = 0;
        string? model = null;
        foreach (int end in ends)
        {
            using var patched = await Tus.PatchAsync(upload, at, s_model[at..end]);
            Assert.Equal(204, (int)patched.StatusCode);
            Assert.Equal(end, TusClient.Offset(patched));
            Assert.Equal(end, await Tus.OffsetAsync(upload));
            model = TusClient.Model(patched);
            Assert.Equal(end == s_model.Length, model is not null);
            at = end;
        }

        var document = await Api.UntilAsync($"/v1/models/{model}", found => (string?)found["state"] == "ready");
        Assert.Equal("mine.safetensors", (string?)document["name"]);
        Assert.Equal(Sha256(s_model), (string?)document["sha256"]);
        using var content = await Api.SendAsync(HttpMethod.Get, $"/v1/models/{model}/content");
        Assert.Equal(Sha256(s_model), Sha256(await content.Content.ReadAsByteArrayAsync(Cancellation)));

        using var head = await Tus.HeadAsync(upload);
        Assert.Equal(model, TusClient.Model(head));
        Assert.Equal("no-store", head.Headers.CacheControl?.ToString());
        Assert.Equal([$"{s_model.Length}"], head.Headers.GetValues("Upload-Length"));
        Assert.Equal([TusClient.Metadata(("filename", "mine.safetensors"), ("note", "x"))], head.Headers.GetValues("Upload-Metadata"));

        // Asked once more by a client that missed the answer.
        using var again = await Tus.PatchAsync(upload, s_model.Length, []);
        Assert.Equal((204, model), ((int)again.StatusCode, TusClient.Model(again)));
        Assert.Empty(await service.LeftAsync());

        // The upload may go; the model stays.
        using var deleted = await Tus.DeleteAsync(upload);
        Assert.Equal(204, (int)deleted.StatusCode);
        using var still = await Api.SendAsync(HttpMethod.Get, $"/v1/models/{model}/content", null, ("Range", "bytes=0-9"));
        Assert.Equal(206, (int)still.StatusCode);
    }

    [Fact]
    public async Task The_same_bytes_twice_are_two_models_and_nothing_is_left_over()
    {
        byte[] bytes = SampleModels.Layers(1, 40, 40, seed: 8);
        var models = new List<string?>();
        for (int i = 0; i < 2; i++)
        {
            using var posted = await Tus.PostAsync($"{bytes.Length}", null, bytes);
            Assert.Equal(201, (int)posted.StatusCode);
            Assert.Equal(bytes.Length, TusClient.Offset(posted));
            models.Add(TusClient.Model(posted));
        }

        Assert.Equal(2, models.OfType<string>().Distinct(StringComparer.Ordinal).Count());
        Assert.Empty(await service.LeftAsync());
    }

    [Fact]
    public async Task The_service_says_what_it_speaks()
    {
        using var response = await Api.SendAsync(HttpMethod.Options, "/v1/uploads");
        Assert.Equal(204, (int)response.StatusCode);
        Assert.Equal(["1.0.0"], response.Headers.GetValues("Tus-Version"));
        Assert.Equal(["creation,creation-with-upload,expiration,checksum,termination"], response.Headers.GetValues("Tus-Extension"));
        Assert.Equal([$"{UploadService.Limit}"], response.Headers.GetValues("Tus-Max-Size"));
        Assert.Equal(["sha256,sha1"], response.Headers.GetValues("Tus-Checksum-Algorithm"));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("0.2.2")]
    public async Task Another_version_of_the_protocol_is_refused(string? version)
    {
        using var response = await Api.SendAsync(HttpMethod.Post, "/v1/uploads", null, version is null ? [("Upload-Length", "10")] : [("Tus-Resumable", version), ("Upload-Length", "10")]);
        await ApiClient.ProblemAsync(response, 412, "precondition_failed");
        Assert.Equal(["1.0.0"], response.Headers.GetValues("Tus-Version"));
        Assert.Equal(["1.0.0"], response.Headers.GetValues("Tus-Resumable"));
    }

    [Theory]
    [InlineData("Upload-Length", "many", 400, "malformed_header")]
    [InlineData("Upload-Length", "-1", 400, "malformed_header")]
    [InlineData("Upload-Length", "", 400, "malformed_header")]
    [InlineData("Upload-Defer-Length", "1", 400, "malformed_header")]
    [InlineData("Upload-Metadata", "filename not-base64!", 400, "malformed_header")]
    [InlineData("Upload-Metadata", "filename /w==", 400, "malformed_header")]
    [InlineData("Upload-Metadata", "name eA==,name eQ==", 400, "malformed_header")]
    [InlineData("Upload-Metadata", "a\tb eA==", 400, "malformed_header")]
    [InlineData("Upload-Metadata", "a\u0001b", 400, "malformed_header")]
    [InlineData("Upload-Metadata", "name YQpi", 422, "invalid_field")]
    [InlineData("Upload-Metadata", "part YQ==", 422, "invalid_field")]
    [InlineData("Upload-Metadata", "model bWRsX05PTkU=,part YS9i", 422, "invalid_field")]
    [InlineData("Upload-Metadata", "model bWRsX05PTkU=,part YQ==", 404, "not_found")]
    [InlineData("Upload-Checksum", "md5 AAAA", 400, "malformed_header")]
    [InlineData("Upload-Checksum", "sha256 AAAA", 400, "malformed_header")]
    [InlineData("Upload-Checksum", "sha256", 400, "malformed_header")]
    public async Task A_header_that_makes_no_sense_is_refused(string name, string value, int status, string code)
    {
        (string, string)[] headers = name == "Upload-Length" ? [("Tus-Resumable", "1.0.0"), (name, value)] : [("Tus-Resumable", "1.0.0"), ("Upload-Length", "10"), (name, value)];
        using var response = await Api.SendAsync(HttpMethod.Post, "/v1/uploads", null, headers);
        var problem = await ApiClient.ProblemAsync(response, status, code);
        if (status != 404)
        {
            Assert.Contains(name, problem.ToJsonString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_limit_is_exact_and_so_is_the_announced_length()
    {
        using var over = await Tus.PostAsync($"{UploadService.Limit + 1}");
        await ApiClient.ProblemAsync(over, 413, "payload_too_large");
        string upload = await Tus.CreateAsync(UploadService.Limit);
        using (await Tus.DeleteAsync(upload))
        {
            upload = await Tus.CreateAsync(100);
        }

        using var tooMany = await Tus.PatchAsync(upload, 0, new byte[101]);
        await ApiClient.ProblemAsync(tooMany, 413, "payload_too_large");
        Assert.Equal(0, await Tus.OffsetAsync(upload));
        using var none = await Tus.PostAsync("0");
        await ApiClient.ProblemAsync(none, 422, "unsupported_format");
        (await Tus.DeleteAsync(upload)).Dispose();
        Assert.Empty(await service.LeftAsync());
    }

    [Fact]
    public async Task Bytes_of_another_type_or_for_another_place_are_refused()
    {
        string upload = await Tus.CreateAsync(100);
        using var plain = await Api.SendAsync(HttpMethod.Patch, upload, ApiClient.Bytes([1]), ("Tus-Resumable", "1.0.0"), ("Upload-Offset", "0"));
        await ApiClient.ProblemAsync(plain, 415, "unsupported_media_type");
        using var elsewhere = await Tus.PatchAsync(upload, 7, [1]);
        var problem = await ApiClient.ProblemAsync(elsewhere, 409, "upload_offset_mismatch");
        Assert.Contains("at byte 0", (string)problem["detail"]!, StringComparison.Ordinal);
        using var nowhere = await Tus.PatchAsync(upload, -1, [1]);
        await ApiClient.ProblemAsync(nowhere, 400, "malformed_header");
        using var unknown = await Tus.PatchAsync("/v1/uploads/upl_NONE", 0, [1]);
        await ApiClient.ProblemAsync(unknown, 404, "not_found");
        using var deleted = await Tus.DeleteAsync(upload);
        Assert.Equal(204, (int)deleted.StatusCode);
        using var gone = await Tus.HeadAsync(upload);
        Assert.Equal(404, (int)gone.StatusCode);
    }

    [Fact]
    public async Task A_checksum_decides_over_all_bytes_of_a_request_or_none()
    {
        string upload = await Tus.CreateAsync(s_model.Length);
        byte[] first = s_model[..(2 * Commit + 1000)];
        using var wrong = await Tus.PatchAsync(upload, 0, [.. first[..^1], (byte)(first[^1] ^ 1)], ("Upload-Checksum", $"sha256 {Convert.ToBase64String(SHA256.HashData(first))}"));
        Assert.True((bool)(await ApiClient.ProblemAsync(wrong, 460, "checksum_mismatch"))["retryable"]!);
        Assert.Equal(0, await Tus.OffsetAsync(upload));

        using var right = await Tus.PatchAsync(upload, 0, first, ("Upload-Checksum", $"sha256 {Convert.ToBase64String(SHA256.HashData(first))}"));
        Assert.Equal((204, first.Length), ((int)right.StatusCode, (int)TusClient.Offset(right)));
        byte[] rest = s_model[first.Length..];
        using var sha1 = IncrementalHash.CreateHash(HashAlgorithmName.SHA1);
        sha1.AppendData(rest);
        using var last = await Tus.PatchAsync(upload, first.Length, rest, ("Upload-Checksum", $"sha1 {Convert.ToBase64String(sha1.GetHashAndReset())}"));
        Assert.Equal(204, (int)last.StatusCode);
        Assert.Equal(Sha256(s_model), (string?)(await Api.GetAsync($"/v1/models/{TusClient.Model(last)}"))["sha256"]);
    }

    [Fact]
    public async Task A_new_request_takes_over_and_what_the_old_one_still_brings_is_discarded()
    {
        string upload = await Tus.CreateAsync(s_model.Length);
        byte[] garbage = new byte[1 << 20];
        using (var old = await TusClient.OpenPatchAsync(service.Running.Address, upload, 0, s_model.Length, (byte[])[.. s_model[..Commit], .. garbage]))
        {
            await Tus.UntilAsync(upload, Commit);
            using var next = await Tus.PatchAsync(upload, Commit, s_model[Commit..(Commit + (2 << 20))]);
            Assert.Equal(204, (int)next.StatusCode);

            // The old request ends, and the service tries to store what it had of it.
            old.Client.Shutdown(SocketShutdown.Both);
        }

        Assert.Equal(Commit + (2 << 20), await Tus.OffsetAsync(upload));
        using var last = await Tus.PatchAsync(upload, Commit + (2 << 20), s_model[(Commit + (2 << 20))..]);
        Assert.Equal(204, (int)last.StatusCode);
        Assert.Equal(Sha256(s_model), (string?)(await Api.GetAsync($"/v1/models/{TusClient.Model(last)}"))["sha256"]);
    }

    [Fact]
    public async Task Of_requests_at_once_one_goes_on_and_the_file_is_right()
    {
        string upload = await Tus.CreateAsync(s_model.Length);
        long at = 0;
        while (at < s_model.Length)
        {
            byte[] piece = s_model[(int)at..(int)long.Min(at + (3 << 20), s_model.Length)];
            var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Tus.PatchAsync(upload, at, piece)));
            Assert.All(answers, answer => Assert.Contains((int)answer.StatusCode, new[] { 204, 409 }));

            // Only the last bytes are acknowledged to all that wait for the model.
            Assert.InRange(answers.Count(answer => (int)answer.StatusCode == 204), 1, at + piece.Length < s_model.Length ? 1 : answers.Length);
            Array.ForEach(answers, answer => answer.Dispose());
            at = await Tus.OffsetAsync(upload);
        }

        using var head = await Tus.HeadAsync(upload);
        Assert.Equal(Sha256(s_model), (string?)(await Api.GetAsync($"/v1/models/{TusClient.Model(head)}"))["sha256"]);
    }

    [Fact]
    public async Task What_had_come_before_the_connection_broke_is_kept()
    {
        string upload = await Tus.CreateAsync(s_model.Length);
        int sent = Commit + 12_345;
        using (var cut = await TusClient.OpenPatchAsync(service.Running.Address, upload, 0, s_model.Length, s_model.AsMemory(0, sent)))
        {
            await Tus.UntilAsync(upload, Commit);
        }

        await Tus.UntilAsync(upload, sent);
        using var last = await Tus.PatchAsync(upload, sent, s_model[sent..]);
        Assert.Equal(Sha256(s_model), (string?)(await Api.GetAsync($"/v1/models/{TusClient.Model(last)}"))["sha256"]);
    }

    [Fact]
    public async Task A_file_that_is_no_model_is_refused_with_its_last_bytes_and_nothing_is_left()
    {
        byte[] text = Encoding.UTF8.GetBytes(new string('x', 1000));
        string upload = await Tus.CreateAsync(text.Length);
        using var first = await Tus.PatchAsync(upload, 0, text[..500]);
        Assert.Equal(204, (int)first.StatusCode);
        using var last = await Tus.PatchAsync(upload, 500, text[500..]);
        await ApiClient.ProblemAsync(last, 422, "unsupported_format");
        using var gone = await Tus.HeadAsync(upload);
        Assert.Equal(404, (int)gone.StatusCode);
        using var withBody = await Tus.PostAsync($"{text.Length}", null, text);
        await ApiClient.ProblemAsync(withBody, 422, "unsupported_format");
        Assert.Empty(await service.LeftAsync());
    }

    [Fact]
    public async Task An_upload_that_is_given_up_while_bytes_come_leaves_nothing()
    {
        string upload = await Tus.CreateAsync(s_model.Length);
        using var writer = await TusClient.OpenPatchAsync(service.Running.Address, upload, 0, s_model.Length, s_model.AsMemory(0, Commit + 1000));
        await Tus.UntilAsync(upload, Commit);
        using var deleted = await Tus.DeleteAsync(upload);
        Assert.Equal(204, (int)deleted.StatusCode);
        await RefusedAsync(writer.GetStream(), s_model.AsMemory(Commit + 1000));
        Assert.Empty(await service.LeftAsync());
        using var gone = await Tus.HeadAsync(upload);
        Assert.Equal(404, (int)gone.StatusCode);
    }

    [Fact]
    public async Task Fifty_creations_at_once_are_fifty_uploads()
    {
        string[] uploads = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => Tus.CreateAsync(i + 1)));
        Assert.Equal(50, uploads.Distinct(StringComparer.Ordinal).Count());
        foreach (string upload in uploads)
        {
            (await Tus.DeleteAsync(upload)).Dispose();
        }
    }

    [Fact]
    public async Task A_client_without_PATCH_may_say_so_in_a_header()
    {
        byte[] bytes = SampleModels.Layers(1, 16, 16, seed: 3);
        string upload = await Tus.CreateAsync(bytes.Length);
        using var content = new ByteArrayContent(bytes);
        content.Headers.ContentType = new("application/offset+octet-stream");
        using var posted = await Api.SendAsync(HttpMethod.Post, upload, content, ("Tus-Resumable", "1.0.0"), ("Upload-Offset", "0"), ("X-HTTP-Method-Override", "PATCH"));
        Assert.Equal(204, (int)posted.StatusCode);
        Assert.NotNull(TusClient.Model(posted));
        using var asked = await Api.SendAsync(HttpMethod.Post, upload, null, ("Tus-Resumable", "1.0.0"), ("X-HTTP-Method-Override", "HEAD"));
        Assert.Equal((200, bytes.Length), ((int)asked.StatusCode, (int)TusClient.Offset(asked)));
        using var bare = await Api.SendAsync(HttpMethod.Post, upload, null, ("Tus-Resumable", "1.0.0"));
        await ApiClient.ProblemAsync(bare, 405, "method_not_allowed");
    }

    /// <summary>Sends what nobody wants any more: the server answers, or has closed the connection in the middle.</summary>
    private static async Task RefusedAsync(NetworkStream stream, ReadOnlyMemory<byte> bytes)
    {
        try
        {
            await stream.WriteAsync(bytes, Cancellation);
            using var reader = new StreamReader(stream);
            string? status = await reader.ReadLineAsync(Cancellation);
            Assert.True(status is null || status.Contains(" 409 ", StringComparison.Ordinal), status);
        }
        catch (IOException)
        {
            // Reset before the answer could be read.
        }
    }

    private static string Sha256(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}

public sealed class TusOnSqliteTests(UploadsOnSqlite service) : TusTests(service), IClassFixture<UploadsOnSqlite>;

public sealed class TusOnPostgresTests(UploadsOnPostgres service) : TusTests(service), IClassFixture<UploadsOnPostgres>;
