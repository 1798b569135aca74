using System.Net;
using System.Security.Cryptography;
using Xunit;

namespace Condense.Service.Tests.Library;

public sealed class ContentTests(RunningService service) : IClassFixture<RunningService>
{
    private static readonly byte[] s_bytes = SampleModels.Layers(1, 40, 30);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_whole_comes_with_length_tag_and_digest()
    {
        string id = await service.Api.AddModelAsync(s_bytes);
        using var response = await service.Api.SendAsync(HttpMethod.Get, $"/v1/models/{id}/content");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(s_bytes, await response.Content.ReadAsByteArrayAsync(Cancellation));
        Assert.Equal(s_bytes.Length, response.Content.Headers.ContentLength);
        Assert.Equal($"\"sha256-{Convert.ToHexStringLower(SHA256.HashData(s_bytes))}\"", response.Headers.ETag?.ToString());
        Assert.Equal($"sha-256=:{Convert.ToBase64String(SHA256.HashData(s_bytes))}:", response.Headers.GetValues("Repr-Digest").Single());

        using var head = await service.Api.SendAsync(HttpMethod.Head, $"/v1/models/{id}/content");
        Assert.Equal(HttpStatusCode.OK, head.StatusCode);
        Assert.Equal(s_bytes.Length, head.Content.Headers.ContentLength);
        Assert.Empty(await head.Content.ReadAsByteArrayAsync(Cancellation));
    }

    [Theory]
    [InlineData("bytes=0-9", 0, 10)]
    [InlineData("bytes=100-199", 100, 100)]
    [InlineData("bytes=-7", -7, 7)]
    [InlineData("bytes=4800-", 4800, null)]
    [InlineData("bytes=0-999999", 0, null)]
    public async Task A_range_gives_its_bytes(string range, int start, int? length)
    {
        string id = await service.Api.AddModelAsync(s_bytes);
        using var response = await service.Api.SendAsync(HttpMethod.Get, $"/v1/models/{id}/content", null, ("Range", range));
        Assert.Equal(HttpStatusCode.PartialContent, response.StatusCode);
        int from = start < 0 ? s_bytes.Length + start : start;
        int count = length ?? (s_bytes.Length - from);
        Assert.Equal(s_bytes[from..(from + count)], await response.Content.ReadAsByteArrayAsync(Cancellation));
        Assert.Equal($"bytes {from}-{from + count - 1}/{s_bytes.Length}", response.Content.Headers.ContentRange?.ToString());

        // The digest is that of the whole, whatever part is sent.
        Assert.Equal($"sha-256=:{Convert.ToBase64String(SHA256.HashData(s_bytes))}:", response.Headers.GetValues("Repr-Digest").Single());
    }

    [Fact]
    public async Task Conditions_decide()
    {
        string id = await service.Api.AddModelAsync(s_bytes);
        string path = $"/v1/models/{id}/content";
        string tag = $"\"sha256-{Convert.ToHexStringLower(SHA256.HashData(s_bytes))}\"";
        (string Name, string Value)[][] requests =
        [
            [("If-None-Match", tag)],
            [("If-None-Match", "\"other\"")],
            [("Range", "bytes=0-1"), ("If-Range", tag)],
            [("Range", "bytes=0-1"), ("If-Range", "\"other\"")],
            [("Range", "bytes=0-1,4-5")],
        ];
        var statuses = new List<int>();
        foreach (var headers in requests)
        {
            using var response = await service.Api.SendAsync(HttpMethod.Get, path, null, headers);
            statuses.Add((int)response.StatusCode);
        }

        Assert.Equal([304, 200, 206, 200, 200], statuses);
        using var outside = await service.Api.SendAsync(HttpMethod.Get, path, null, ("Range", "bytes=999999-"));
        await ApiClient.ProblemAsync(outside, 416, "range_not_satisfiable");
        Assert.Equal($"bytes */{s_bytes.Length}", outside.Content.Headers.ContentRange?.ToString());
        using var changed = await service.Api.SendAsync(HttpMethod.Get, path, null, ("If-Match", "\"other\""));
        await ApiClient.ProblemAsync(changed, 412, "precondition_failed");
        using var none = await service.Api.SendAsync(HttpMethod.Get, "/v1/models/mdl_NONE/content");
        await ApiClient.ProblemAsync(none, 404, "not_found");
    }

    [Fact]
    public async Task A_model_document_answers_304_until_it_changes()
    {
        string id = await service.Api.AddModelAsync(s_bytes);
        using var first = await service.Api.SendAsync(HttpMethod.Get, $"/v1/models/{id}");
        using var second = await service.Api.SendAsync(HttpMethod.Get, $"/v1/models/{id}", null, ("If-None-Match", first.Headers.ETag!.ToString()));
        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
    }
}
