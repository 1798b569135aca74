using System.Diagnostics;
using System.Security.Cryptography;
using Xunit;

namespace Condense.Service.Tests.Uploads;

/// <summary>The real client, over connections that break, to a service that dies.</summary>
public sealed class TusClientTests
{
    private const int Cuts = 5;
    private const int CutAfter = 5 << 20;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgres")]
    public async Task An_upload_survives_five_cuts_and_the_death_of_the_service(string database)
    {
        string tests = Path.Combine(Path.GetDirectoryName(SampleModels.Path)!, "..", "tests");
        Assert.SkipUnless(Directory.Exists(Path.Combine(tests, "node_modules", "tus-js-client")), "tus-js-client is absent: install tests/package.json with npm.");
        string script = Path.Combine(tests, "Service.Tests", "Uploads", "upload.cjs");
        string folder = Directory.CreateTempSubdirectory("condense-tus-").FullName;
        byte[] bytes = SampleModels.Layers(10, 1024, 1024, seed: 12);
        string file = Path.Combine(folder, "large.safetensors");
        await File.WriteAllBytesAsync(file, bytes, Cancellation);
        string[] settings = database == "postgres" ? await RunningService.PostgresSettingsAsync() : ["--Storage:Provider=Sqlite"];
        var service = await ServiceProcess.StartReadyAsync(folder, settings);
        try
        {
            await using var proxy = new CuttingProxy(service.Api.Http.BaseAddress!.Port, Cuts, CutAfter);
            using var client = Process.Start(new ProcessStartInfo("node", [script, $"http://127.0.0.1:{proxy.Port}/v1/uploads", file, $"{64 << 20}"])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            var output = client.StandardOutput.ReadToEndAsync(Cancellation);
            var errors = client.StandardError.ReadToEndAsync(Cancellation);
            while (proxy.Cuts < 3 && !client.HasExited)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, Cancellation);
            }

            await service.KillAsync();
            await service.DisposeAsync();
            service = await ServiceProcess.StartReadyAsync(folder, settings);
            proxy.Target = service.Api.Http.BaseAddress!.Port;

            await client.WaitForExitAsync(Cancellation);
            Assert.True(client.ExitCode == 0, await errors);
            Assert.Equal(Cuts, proxy.Cuts);
            string model = (await output).Split('\n', StringSplitOptions.RemoveEmptyEntries)[1];
            using var content = await service.Api.SendAsync(HttpMethod.Get, $"/v1/models/{model}/content");
            Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(bytes)), Convert.ToHexStringLower(SHA256.HashData(await content.Content.ReadAsByteArrayAsync(Cancellation))));
            Assert.Equal("large.safetensors", (string?)(await service.Api.GetAsync($"/v1/models/{model}"))["name"]);
        }
        finally
        {
            await service.DisposeAsync();
            Directory.Delete(folder, recursive: true);
        }
    }
}
