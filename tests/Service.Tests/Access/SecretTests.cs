using System.Diagnostics;
using Condense.Service.Access;
using Xunit;

namespace Condense.Service.Tests.Access;

public sealed class SecretTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("condense-secrets-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Everything that any part of the service would ever log, not only what is logged by default.</summary>
    [Fact]
    public async Task Neither_the_log_nor_an_answer_repeats_a_key()
    {
        string first = KeyText.Create();
        string file = Path.Combine(_folder, "secret");
        await File.WriteAllTextAsync(file, first, TestContext.Current.CancellationToken);
        int port = ServiceProcess.FreePort();
        var start = new ProcessStartInfo("bash") { UseShellExecute = false, WorkingDirectory = _folder };
        foreach (string argument in (string[])["-c", "exec \"$@\" >log 2>&1", "bash", "dotnet", Path.Combine(AppContext.BaseDirectory, "Condense.Service.dll"),
            "--urls", $"http://127.0.0.1:{port}", "--Access:BootstrapKeyFile=secret", "--Logging:Console:LogLevel:Default=Trace"])
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start)!;
        using var client = new ApiClient(new Uri($"http://127.0.0.1:{port}"));
        List<string> secrets = [first];
        var answers = new List<string>();
        try
        {
            await ReadyAsync(client, process);
            string made = await AskAsync(client, answers: [], HttpMethod.Post, first, "/v1/api-keys", """{"name":"ci","scopes":["jobs:read"]}""");
            secrets.Add(made.Split("\"key\":\"")[1].Split('"')[0]);
            secrets.Add(KeyText.Create());
            secrets.Add("cnd_live_of-a-wrong-form-but-still-somebodys-secret");
            foreach (string key in secrets)
            {
                await AskAsync(client, answers, HttpMethod.Get, key, "/v1/jobs");
                await AskAsync(client, answers, HttpMethod.Get, key, "/v1/api-keys");
                await AskAsync(client, answers, HttpMethod.Get, key, "/v1/models/x/content");
                await AskAsync(client, answers, HttpMethod.Post, key, "/v1/jobs", "{");
                await AskAsync(client, answers, HttpMethod.Put, key, "/v1/nothing", "{}");
            }
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        string log = await File.ReadAllTextAsync(Path.Combine(_folder, "log"), TestContext.Current.CancellationToken);
        Assert.Contains("trce:", log, StringComparison.Ordinal);
        Assert.Contains("Gatekeeper[5002]", log, StringComparison.Ordinal);
        Assert.All(secrets, secret =>
        {
            Assert.DoesNotContain(secret, log, StringComparison.Ordinal);
            Assert.All(answers, answer => Assert.DoesNotContain(secret, answer, StringComparison.Ordinal));
        });
        Assert.DoesNotContain("Bearer cnd_", log, StringComparison.OrdinalIgnoreCase);
    }

    private static async Task<string> AskAsync(ApiClient client, List<string> answers, HttpMethod method, string key, string path, string? body = null)
    {
        using var response = await client.SendAsync(method, path, body is null ? null : ApiClient.Json(body), ("Authorization", $"Bearer {key}"));
        string text = response.Headers + await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        answers.Add(text);
        return text;
    }

    private static async Task ReadyAsync(ApiClient client, Process process)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                using var response = await client.SendAsync(HttpMethod.Get, "/readyz");
                return;
            }
            catch (HttpRequestException)
            {
                Assert.False(process.HasExited, "The service ended.");
                Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(60), "The service does not become ready.");
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, TestContext.Current.CancellationToken);
            }
        }
    }
}
