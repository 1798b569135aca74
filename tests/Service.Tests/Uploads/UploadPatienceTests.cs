using System.Net.Sockets;
using System.Text;
using Condense.Service.Storage;
using Condense.Service.Uploads;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace Condense.Service.Tests.Uploads;

/// <summary>A10: who is slow, who comes back too late or never.</summary>
public sealed class UploadPatienceTests
{
    private const int Slow = 500;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Five_hundred_slow_uploads_do_not_stop_the_others_and_keep_what_they_sent()
    {
        await using var service = await RunningService.StartAsync("--Uploads:MinBytesPerSecond=0");
        var tus = new TusClient(service.Api);
        byte[] some = new byte[1000];
        string[] uploads = await Task.WhenAll(Enumerable.Range(0, Slow).Select(_ => tus.CreateAsync(1 << 20)));
        var sockets = await Task.WhenAll(uploads.Select(upload => TusClient.OpenPatchAsync(service.Address, upload, 0, 1 << 20, some)));

        string model = await service.Api.AddModelAsync(SampleModels.Layers(2, 64, 48));
        Assert.Equal("succeeded", (string?)(await service.Api.EndAsync(await service.Api.AddJobAsync(model, 2)))["state"]);
        byte[] bytes = SampleModels.Layers(2, 64, 48, seed: 5);
        using (var posted = await tus.PostAsync($"{bytes.Length}", null, bytes))
        {
            Assert.NotNull(TusClient.Model(posted));
        }

        Array.ForEach(sockets, socket => socket.Dispose());
        foreach (string upload in uploads)
        {
            await tus.UntilAsync(upload, some.Length);
        }
    }

    [Theory]
    [InlineData("PATCH", "application/offset+octet-stream")]
    [InlineData("POST", "application/octet-stream")]
    public async Task A_body_that_comes_too_slowly_is_ended(string method, string type)
    {
        await using var service = await RunningService.StartAsync("--Uploads:MinBytesPerSecond=100000", "--Uploads:Grace=00:00:01.5");
        var tus = new TusClient(service.Api);
        string upload = await tus.CreateAsync(1 << 20);
        using var client = new TcpClient();
        await client.ConnectAsync(service.Address.Host, service.Address.Port, Cancellation);
        string path = method == "PATCH" ? upload : "/v1/models";
        string head = $"{method} {path} HTTP/1.1\r\nHost: {service.Address.Authority}\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\nContent-Type: {type}\r\nContent-Length: {1 << 20}\r\n\r\n";
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(head), Cancellation);
        await client.GetStream().WriteAsync(new byte[1000], Cancellation);
        using var reader = new StreamReader(client.GetStream());
        string answer = await reader.ReadToEndAsync(Cancellation);
        Assert.StartsWith("HTTP/1.1 408", answer, StringComparison.Ordinal);
        Assert.Contains("request_timeout", answer, StringComparison.Ordinal);
        Assert.Equal(method == "PATCH" ? 1000 : 0, await tus.OffsetAsync(upload));
        Assert.True(method == "PATCH" || service.Files("staging").Length == 0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_comes_to_no_end_in_time_is_removed_and_nothing_else(bool onPostgres)
    {
        UploadService service = onPostgres ? new UploadsOnPostgres() : new UploadsOnSqlite();
        await service.InitializeAsync();
        await using var _ = service;
        byte[] bytes = SampleModels.Layers(1, 32, 32, seed: 6);
        string begun = await service.Tus.CreateAsync(bytes.Length);
        (await service.Tus.PatchAsync(begun, 0, bytes[..1000])).Dispose();
        string whole = await service.Tus.CreateAsync(bytes.Length);
        string? model;
        using (var patched = await service.Tus.PatchAsync(whole, 0, bytes))
        {
            model = TusClient.Model(patched);
        }

        var api = service.Running.Api;
        using var received = await api.SendAsync(HttpMethod.Post, "/v1/models?parts=true");
        string receiving = (string)(await ApiClient.CreatedAsync(received))["id"]!;
        (await api.SendAsync(HttpMethod.Post, $"/v1/models/{receiving}/parts?name=a", ApiClient.Bytes([1, 2, 3]))).Dispose();

        await SweepAsync(service, TimeSpan.FromHours(23));
        Assert.Equal(1000, await service.Tus.OffsetAsync(begun));

        await SweepAsync(service, TimeSpan.FromHours(25));
        using (var expired = await service.Tus.PatchAsync(begun, 1000, bytes[1000..]))
        {
            await ApiClient.ProblemAsync(expired, 410, "expired");
        }

        var usage = await api.GetAsync("/v1/usage");
        Assert.Equal((0, 0), ((int)usage["uploads"]!, (int)usage["uploadBytes"]!));
        Assert.Empty(await service.LeftAsync());
        Assert.Equal("receiving", (string?)(await api.GetAsync($"/v1/models/{receiving}"))["state"]);

        await SweepAsync(service, TimeSpan.FromDays(4));
        using var gone = await api.SendAsync(HttpMethod.Get, $"/v1/models/{receiving}");
        await ApiClient.ProblemAsync(gone, 404, "not_found");

        await SweepAsync(service, TimeSpan.FromDays(9));
        using var forgotten = await service.Tus.HeadAsync(begun);
        Assert.Equal(404, (int)forgotten.StatusCode);
        await api.UntilAsync($"/v1/models/{model}", found => (string?)found["state"] == "ready");
        using var content = await api.SendAsync(HttpMethod.Get, $"/v1/models/{model}/content");
        Assert.Equal(bytes, await content.Content.ReadAsByteArrayAsync(Cancellation));
        await using var scope = service.Running.Scope();
        Assert.Equal(1, await scope.ServiceProvider.GetRequiredService<CondenseDbContext>().Artifacts.CountAsync(Cancellation));
    }

    [Fact]
    public async Task The_service_removes_by_itself()
    {
        await using var service = await RunningService.StartAsync("--Uploads:Expiry=00:00:01", "--Uploads:SweepEvery=00:00:00.2", "--Uploads:CommitWithin=00:00:01");
        var tus = new TusClient(service.Api);
        string upload = await tus.CreateAsync(100);
        (await tus.PatchAsync(upload, 0, new byte[10])).Dispose();
        using var received = await service.Api.SendAsync(HttpMethod.Post, "/v1/models?parts=true");
        while ((await service.Api.GetAsync("/v1/models"))["data"]!.AsArray().Count > 0 || service.Files("staging").Length > 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, Cancellation);
        }

        using var head = await tus.HeadAsync(upload);
        Assert.Equal(410, (int)head.StatusCode);
    }

    /// <summary>A round of the sweeper, so much later.</summary>
    private static async Task SweepAsync(UploadService service, TimeSpan later)
    {
        await using var scope = service.Running.Services.CreateAsyncScope();
        await ActivatorUtilities.CreateInstance<ExpiredUploads>(scope.ServiceProvider, new LaterClock(later)).RemoveAsync(Cancellation);
    }

    private sealed class LaterClock(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + by;
    }
}
