using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Condense.Service.Storage;
using Condense.Service.Uploads;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace Condense.Service.Tests.Uploads;

/// <summary>What uploads may take, and what becomes of those that nobody ends.</summary>
public sealed class UploadQuotaTests
{
    private const int Quota = 1_000_000;

    private static readonly byte[] s_model = SampleModels.Layers(1, 32, 32, seed: 6);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_refusal_that_may_pass_leaves_the_upload_and_its_last_bytes_may_come_again(bool onPostgres)
    {
        await using var service = await RunningService.StartAsync(
            [.. onPostgres ? await RunningService.PostgresSettingsAsync() : ["--Storage:Provider=Sqlite"], "--Quotas:Models=1", "--Quotas:Uploads=2"]);
        var tus = new TusClient(service.Api);
        string upload = await tus.CreateAsync(s_model.Length);
        (await tus.PatchAsync(upload, 0, s_model[..1000])).Dispose();
        string other = await service.Api.AddModelAsync(SampleModels.Layers(1, 16, 16));
        for (int i = 0; i < 2; i++)
        {
            using var refused = await tus.PatchAsync(upload, 1000, s_model[1000..]);
            await ApiClient.ProblemAsync(refused, 429, "quota_exceeded");
            Assert.Equal(1000, await tus.OffsetAsync(upload));
        }

        // Who begins now is told before the bytes come.
        using (var early = await tus.PostAsync("100"))
        {
            await ApiClient.ProblemAsync(early, 429, "quota_exceeded");
        }

        (await service.Api.SendAsync(HttpMethod.Delete, $"/v1/models/{other}")).EnsureSuccessStatusCode();
        using var made = await tus.PatchAsync(upload, 1000, s_model[1000..]);
        Assert.Equal(204, (int)made.StatusCode);
        using var content = await service.Api.SendAsync(HttpMethod.Get, $"/v1/models/{TusClient.Model(made)}/content");
        Assert.Equal(s_model, await content.Content.ReadAsByteArrayAsync(Cancellation));
    }

    [Fact]
    public async Task Uploads_and_datasets_are_counted()
    {
        await using var service = await RunningService.StartAsync("--Quotas:Uploads=2", "--Quotas:Datasets=1");
        var tus = new TusClient(service.Api);
        string first = await tus.CreateAsync(1);
        await tus.CreateAsync(1);
        using (var third = await tus.PostAsync("1"))
        {
            Assert.Contains("2 unfinished uploads", (string)(await ApiClient.ProblemAsync(third, 429, "quota_exceeded"))["detail"]!, StringComparison.Ordinal);
        }

        (await tus.DeleteAsync(first)).Dispose();
        await tus.CreateAsync(1);
        Assert.Equal(HttpStatusCode.Created, await AddDatasetAsync());
        Assert.Equal(HttpStatusCode.TooManyRequests, await AddDatasetAsync());
        var quotas = (await service.Api.GetAsync("/v1/limits"))["quotas"]!;
        Assert.Equal((2, 1), ((int)quotas["uploads"]!, (int)quotas["datasets"]!));

        async Task<HttpStatusCode> AddDatasetAsync()
        {
            using var response = await service.Api.SendAsync(HttpMethod.Post, "/v1/datasets", ApiClient.Json("""{"counts":[1,2,3]}"""));
            return response.StatusCode;
        }
    }

    [Fact]
    public async Task Bodies_on_their_way_count_before_they_are_stored()
    {
        await using var service = await RunningService.StartAsync($"--Quotas:StoredBytes={Quota}", "--Uploads:MinBytesPerSecond=0");
        using (await BeginAsync(service, "Content-Length: 600000", new byte[1000]))
        {
            await UntilAsync(() => service.Files("staging").Length == 1);
            using var second = await service.Api.UploadAsync(new byte[600_000]);
            await ApiClient.ProblemAsync(second, 429, "quota_exceeded");
        }

        // Given up, it counts no more.
        await UntilAsync(() => service.Files("staging").Length == 0);
        await service.Api.AddModelAsync(s_model);

        // Without a length, what has come counts: one of two that are together too large is refused while both are still open.
        byte[] chunk = [.. Encoding.ASCII.GetBytes("927C0\r\n"), .. new byte[600_000], .. "\r\n"u8];
        using var one = await BeginAsync(service, "Transfer-Encoding: chunked", chunk);
        using var other = await BeginAsync(service, "Transfer-Encoding: chunked", chunk);
        using var readOne = new StreamReader(one.GetStream());
        using var readOther = new StreamReader(other.GetStream());
        var answer = await Task.WhenAny(readOne.ReadLineAsync(Cancellation).AsTask(), readOther.ReadLineAsync(Cancellation).AsTask()).WaitAsync(TimeSpan.FromSeconds(90), TimeProvider.System, Cancellation);
        Assert.Contains(" 429 ", await answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_counts_once_when_it_is_stored()
    {
        await using var service = await RunningService.StartAsync($"--Quotas:StoredBytes={10 * s_model.Length}");
        for (int i = 0; i < 10; i++)
        {
            using var stored = await service.Api.UploadAsync(SampleModels.Layers(1, 32, 32, seed: i));
            Assert.Equal(HttpStatusCode.Created, stored.StatusCode);
        }
    }

    [Fact]
    public async Task A_round_of_the_sweeper_ends_when_nothing_is_left_and_one_that_fails_does_not_keep_the_others()
    {
        await using var service = await RunningService.StartAsync("--Storage:Provider=Sqlite", "--Uploads:SweepEvery=1.00:00:00");
        await using var scope = service.Scope();
        var db = scope.ServiceProvider.GetRequiredService<CondenseDbContext>();
        var past = TimeProvider.System.GetUtcNow().AddMinutes(-1);
        for (int i = 0; i < 250; i++)
        {
            string tenant = i < 249 ? "many" : "one";
            db.Add(new UploadSession { Id = $"upl_{i:D4}", TenantId = tenant, BlobId = $"blb_{i:D4}", Length = 10, CreatedAt = past, ExpiresAt = past });
        }

        await db.SaveChangesAsync(Cancellation);

        // A folder where the file of one should lie: it can't be removed.
        Directory.CreateDirectory(Path.Combine(service.Services.GetRequiredService<DataFolder>().Staging, "blb_0003"));
        Assert.Equal(249, await scope.ServiceProvider.GetRequiredService<ExpiredUploads>().RemoveAsync(Cancellation));
        Assert.False(await db.Uploads.IgnoreQueryFilters().AnyAsync(row => row.Offset >= 0, Cancellation));
    }

    [Fact]
    public async Task A_model_of_several_files_that_still_gets_some_is_not_abandoned()
    {
        await using var service = await RunningService.StartAsync("--Uploads:SweepEvery=1.00:00:00");
        string[] models = [await BeginModelAsync(), await BeginModelAsync()];
        await using var scope = service.Scope();
        var db = scope.ServiceProvider.GetRequiredService<CondenseDbContext>();
        await db.Models.ExecuteUpdateAsync(set => set.SetProperty(row => row.CreatedAt, TimeProvider.System.GetUtcNow().AddDays(-4)), Cancellation);
        (await service.Api.SendAsync(HttpMethod.Post, $"/v1/models/{models[0]}/parts?name=a", ApiClient.Bytes([1, 2, 3]))).EnsureSuccessStatusCode();
        Assert.Equal(1, await scope.ServiceProvider.GetRequiredService<ExpiredUploads>().RemoveAsync(Cancellation));
        Assert.Equal([models[0]], (await service.Api.GetAsync("/v1/models"))["data"]!.AsArray().Select(model => (string)model!["id"]!));

        async Task<string> BeginModelAsync()
        {
            using var received = await service.Api.SendAsync(HttpMethod.Post, "/v1/models?parts=true");
            return (string)(await ApiClient.CreatedAsync(received))["id"]!;
        }
    }

    private static async Task<TcpClient> BeginAsync(RunningService service, string length, byte[] sent)
    {
        var client = new TcpClient();
        await client.ConnectAsync(service.Address.Host, service.Address.Port, Cancellation);
        string head = string.Create(
            CultureInfo.InvariantCulture, $"POST /v1/models HTTP/1.1\r\nHost: {service.Address.Authority}\r\nContent-Type: application/octet-stream\r\n{length}\r\n\r\n");
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(head), Cancellation);
        await client.GetStream().WriteAsync(sent, Cancellation);
        return client;
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(90), "it does not come so far");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Cancellation);
        }
    }
}
