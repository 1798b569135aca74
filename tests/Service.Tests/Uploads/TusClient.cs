using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Xunit;

namespace Condense.Service.Tests.Uploads;

/// <summary>Speaks tus 1.0.0, request by request, and can break off where no decent client would.</summary>
internal sealed class TusClient(ApiClient api)
{
    private static readonly (string Name, string Value) s_version = ("Tus-Resumable", "1.0.0");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static string Metadata(params (string Key, string Value)[] pairs) =>
        string.Join(',', pairs.Select(pair => $"{pair.Key} {Convert.ToBase64String(Encoding.UTF8.GetBytes(pair.Value))}"));

    /// <summary>The number in a header.</summary>
    public static long Offset(HttpResponseMessage response) => long.Parse(response.Headers.GetValues("Upload-Offset").Single(), CultureInfo.InvariantCulture);

    public static string? Model(HttpResponseMessage response) => response.Headers.TryGetValues("Condense-Model", out var values) ? values.Single() : null;

    public Task<HttpResponseMessage> PostAsync(string length, string? metadata = null, byte[]? body = null, params (string Name, string Value)[] headers) => api.SendAsync(
        HttpMethod.Post,
        "/v1/uploads",
        body is null ? null : Content(body),
        [s_version, ("Upload-Length", length), .. metadata is null ? Array.Empty<(string, string)>() : [("Upload-Metadata", metadata)], .. headers]);

    /// <summary>Begins an upload; its address.</summary>
    public async Task<string> CreateAsync(long length, string? metadata = null)
    {
        using var response = await PostAsync(length.ToString(CultureInfo.InvariantCulture), metadata);
        Assert.True((int)response.StatusCode == 201, await response.Content.ReadAsStringAsync(Cancellation));
        Assert.Equal("1.0.0", response.Headers.GetValues("Tus-Resumable").Single());
        return response.Headers.Location!.ToString();
    }

    public Task<HttpResponseMessage> HeadAsync(string upload) => api.SendAsync(HttpMethod.Head, upload, null, s_version);

    public Task<HttpResponseMessage> DeleteAsync(string upload) => api.SendAsync(HttpMethod.Delete, upload, null, s_version);

    public Task<HttpResponseMessage> PatchAsync(string upload, long offset, byte[] body, params (string Name, string Value)[] headers) =>
        api.SendAsync(HttpMethod.Patch, upload, Content(body), [s_version, ("Upload-Offset", offset.ToString(CultureInfo.InvariantCulture)), .. headers]);

    /// <summary>The offset of an upload.</summary>
    public async Task<long> OffsetAsync(string upload)
    {
        using var response = await HeadAsync(upload);
        Assert.Equal(200, (int)response.StatusCode);
        return Offset(response);
    }

    /// <summary>Waits until so many bytes are durable.</summary>
    public async Task UntilAsync(string upload, long offset)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (await OffsetAsync(upload) != offset)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(90), $"{upload} does not reach {offset}: it is at {await OffsetAsync(upload)}");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Cancellation);
        }
    }

    /// <summary>Begins a PATCH and leaves it open: the socket, with so much of the body sent.</summary>
    public static Task<TcpClient> OpenPatchAsync(Uri address, string upload, long offset, long length, ReadOnlyMemory<byte> sent) =>
        OpenAsync(address, string.Create(CultureInfo.InvariantCulture, $"PATCH {upload} HTTP/1.1\r\nUpload-Offset: {offset}\r\n"), length, sent);

    /// <summary>Begins any request so, from its first line and headers of its own.</summary>
    public static async Task<TcpClient> OpenAsync(Uri address, string first, long length, ReadOnlyMemory<byte> sent)
    {
        var client = new TcpClient();
        await client.ConnectAsync(address.Host, address.Port, Cancellation);
        string head = string.Create(
            CultureInfo.InvariantCulture,
            $"{first}Host: {address.Authority}\r\nTus-Resumable: 1.0.0\r\nContent-Type: application/offset+octet-stream\r\nContent-Length: {length}\r\n\r\n");
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(head), Cancellation);
        await client.GetStream().WriteAsync(sent, Cancellation);
        return client;
    }

    private static ByteArrayContent Content(byte[] body)
    {
        var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/offset+octet-stream");
        return content;
    }
}
