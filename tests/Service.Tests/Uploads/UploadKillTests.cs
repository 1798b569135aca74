using System.Globalization;
using System.Security.Cryptography;
using Xunit;

namespace Condense.Service.Tests.Uploads;

/// <summary>P16: acknowledged bytes are durable, whenever the service dies.</summary>
public sealed class UploadKillTests
{
    /// <summary>How often the service is killed; a campaign asks for more.</summary>
    private static readonly int s_rounds = int.Parse(Environment.GetEnvironmentVariable("CONDENSE_KILL_ROUNDS") ?? "10", CultureInfo.InvariantCulture);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("sqlite", 1)]
    [InlineData("postgres", 2)]
    public async Task Acknowledged_bytes_survive_every_kill(string database, int seed)
    {
        string folder = Directory.CreateTempSubdirectory("condense-kill-").FullName;
        string[] settings = database == "postgres" ? await RunningService.PostgresSettingsAsync() : ["--Storage:Provider=Sqlite"];
        byte[] bytes = SampleModels.Layers(6, 1024, 1024, seed);
        var random = new Random(seed);
        int lost = 0;
        int whole = 0;
        try
        {
            string? upload = null;
            long acknowledged = 0;
            long sent = 0;
            for (int round = 0; round < s_rounds; round++)
            {
                await using var service = await ServiceProcess.StartReadyAsync(folder, settings);
                var tus = new TusClient(service.Api);
                if (upload is not null && await FinishedAsync(tus, upload) is { } made)
                {
                    // The last bytes of the round before had been acknowledged with their model.
                    await AssertSameAsync(service.Api, made, bytes);
                    whole++;
                    upload = null;
                }

                if (upload is null)
                {
                    (upload, acknowledged, sent) = (await tus.CreateAsync(bytes.Length), 0, 0);
                }

                long offset = await tus.OffsetAsync(upload);
                Assert.InRange(offset, acknowledged, sent);
                lost += sent > offset ? 1 : 0;
                int amount = (int)long.Min(bytes.Length - offset, random.Next(12 << 20));
                using var patch = await TusClient.OpenPatchAsync(service.Api.Http.BaseAddress!, upload, offset, bytes.Length - offset, bytes.AsMemory((int)offset, amount));
                await Task.Delay(TimeSpan.FromMilliseconds(random.Next(60)), TimeProvider.System, Cancellation);
                sent = offset + amount;
                acknowledged = await tus.OffsetAsync(upload);
                await service.KillAsync();
            }

            await using var last = await ServiceProcess.StartReadyAsync(folder, settings);
            var client = new TusClient(last.Api);
            string? model = await FinishedAsync(client, upload!);
            if (model is null)
            {
                long offset = await client.OffsetAsync(upload!);
                Assert.InRange(offset, acknowledged, sent);
                using var patched = await client.PatchAsync(upload!, offset, bytes[(int)offset..]);
                Assert.Equal(204, (int)patched.StatusCode);
                model = TusClient.Model(patched)!;
            }

            await AssertSameAsync(last.Api, model, bytes);
            TestContext.Current.SendDiagnosticMessage($"{database}: {s_rounds} kills, {lost} of them with bytes on the way, {whole} behind the last byte; every digest equal");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<string?> FinishedAsync(TusClient tus, string upload)
    {
        using var head = await tus.HeadAsync(upload);
        return TusClient.Model(head);
    }

    private static async Task AssertSameAsync(ApiClient api, string model, byte[] bytes)
    {
        using var content = await api.SendAsync(HttpMethod.Get, $"/v1/models/{model}/content");
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(bytes)), Convert.ToHexStringLower(SHA256.HashData(await content.Content.ReadAsByteArrayAsync(Cancellation))));
    }
}
