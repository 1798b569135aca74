using System.Diagnostics;
using System.Net;
using Condense.Service.Access;
using Condense.Service.Storage;
using Xunit;

namespace Condense.Service.Tests.Access;

public sealed class KeyCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("condense-keys-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_first_key_lets_the_service_listen_elsewhere()
    {
        var made = await KeysAsync("create", "--tenant", "acme", "--name", "ci", "--scopes", "admin", "--expires", "90d");
        Assert.Equal(0, made.Code);
        string key = made.Output.Trim();
        Assert.True(KeyText.IsWellFormed(key), made.Output);
        Assert.DoesNotContain(key, made.Errors, StringComparison.Ordinal);

        int port = ServiceProcess.FreePort();
        await using var service = ServiceProcess.Start(_folder, port, "--urls", $"http://0.0.0.0:{port}");
        await ReadyAsync(service);
        using (var refused = await service.Api.SendAsync(HttpMethod.Get, "/v1/jobs"))
        {
            await ApiClient.ProblemAsync(refused, 401, "unauthenticated");
        }

        (string, string)[] header = [("Authorization", $"Bearer {key}")];
        using (var answered = await service.Api.SendAsync(HttpMethod.Get, "/v1/jobs", null, header))
        {
            Assert.Equal(HttpStatusCode.OK, answered.StatusCode);
        }

        // Beside the running service, which has the folder.
        var second = await KeysAsync("create", "--tenant=acme", "--name", "reader", "--scopes", "jobs:read,models:read");
        Assert.Equal(0, second.Code);
        using (var answered = await service.Api.SendAsync(HttpMethod.Get, "/v1/jobs", null, ("Authorization", $"Bearer {second.Output.Trim()}")))
        {
            Assert.Equal(HttpStatusCode.OK, answered.StatusCode);
        }

        var list = await KeysAsync("list", "--tenant", "acme");
        string[] rows = list.Output.Trim().Split('\n');
        Assert.Equal(3, rows.Length);
        Assert.DoesNotContain(key, list.Output, StringComparison.Ordinal);
        Assert.Equal(0, (await KeysAsync("revoke", rows[1].Split(' ')[0])).Code);
        using var gone = await service.Api.SendAsync(HttpMethod.Get, "/v1/jobs", null, header);
        await ApiClient.ProblemAsync(gone, 401, "unauthenticated");
    }

    [Theory]
    [InlineData("usage", "")]
    [InlineData("\"destroy\"", "destroy")]
    [InlineData("--tenant is missing", "create --name a --scopes admin")]
    [InlineData("--scope ", "create --tenant a --name a --scope admin")]
    [InlineData("--scopes: There is no such scope", "create --tenant a --name a --scopes root")]
    [InlineData("--tenant A", "create --tenant A --name a --scopes admin")]
    [InlineData("--expires soon", "create --tenant a --name a --scopes admin --expires soon")]
    [InlineData("--expires: This lies in the past", "create --tenant a --name a --scopes admin --expires 2001-01-01")]
    [InlineData("stands twice", "list --tenant a --tenant b")]
    [InlineData("id of a key is missing", "revoke")]
    public async Task A_command_line_that_is_not_understood_says_so(string words, string arguments)
    {
        var (code, output, errors) = await KeysAsync(arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(2, code);
        Assert.Empty(output);
        Assert.Contains(words, errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_that_is_not_there_can_not_be_revoked()
    {
        var (code, _, errors) = await KeysAsync("revoke", "key_01JD8Y3Q4Z5X6W7V8T9S0R1Q2P");
        Assert.Equal(1, code);
        Assert.Contains("there is no key", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_generated_key_is_a_first_key()
    {
        string key = (await KeysAsync("generate")).Output.Trim();
        string file = Path.Combine(_folder, "secret");
        await File.WriteAllTextAsync(file, key + "\n", TestContext.Current.CancellationToken);
        for (int start = 0; start < 2; start++)
        {
            await using var service = await ServiceProcess.StartReadyAsync(_folder, $"--Access:BootstrapKeyFile={file}");
            using var answered = await service.Api.SendAsync(HttpMethod.Get, "/v1/api-keys", null, ("Authorization", $"Bearer {key}"));
            Assert.Equal(HttpStatusCode.OK, answered.StatusCode);
            await service.TerminateAsync();
        }

        Assert.Equal(2, (await KeysAsync("list")).Output.Trim().Split('\n').Length);
    }

    [Fact]
    public async Task A_service_whose_keys_have_all_expired_starts_and_lets_in_the_next_one()
    {
        string old = (await KeysAsync("create", "--tenant", "acme", "--name", "old", "--scopes", "admin", "--expires", "1d")).Output.Trim();
        await using (var source = new SqliteDataSource($"Data Source={Path.Combine(_folder, "data", "condense.db")}"))
        await using (var connection = await source.OpenConnectionAsync(TestContext.Current.CancellationToken))
        await using (var command = connection.CreateCommand())
        {
            command.CommandText = "UPDATE api_key SET expires_at = created_at";
            Assert.Equal(1, await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken));
        }

        int port = ServiceProcess.FreePort();
        await using var service = ServiceProcess.Start(_folder, port, "--urls", $"http://0.0.0.0:{port}");
        await ReadyAsync(service);
        using (var refused = await service.Api.SendAsync(HttpMethod.Get, "/v1/jobs", null, ("Authorization", $"Bearer {old}")))
        {
            await ApiClient.ProblemAsync(refused, 401, "key_expired");
        }

        string key = (await KeysAsync("create", "--tenant", "acme", "--name", "new", "--scopes", "admin")).Output.Trim();
        using var answered = await service.Api.SendAsync(HttpMethod.Get, "/v1/jobs", null, ("Authorization", $"Bearer {key}"));
        Assert.Equal(HttpStatusCode.OK, answered.StatusCode);
    }

    [Fact]
    public async Task Where_a_start_only_checks_the_tables_the_command_makes_none()
    {
        string[] settings = [.. await RunningService.PostgresSettingsAsync(), "--Storage:Migrate=false"];
        var (code, output, errors) = await KeysAsync(["list", .. settings]);
        Assert.Equal((1, ""), (code, output));
        Assert.Contains("`Condense.Service migrate`", errors, StringComparison.Ordinal);
        Assert.Equal(1, (await KeysAsync(["list", .. settings])).Code);
    }

    private static async Task ReadyAsync(ServiceProcess service)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                using var response = await service.Api.SendAsync(HttpMethod.Get, "/readyz", null, ("Host", "10.1.2.3"));
                Assert.Equal(HttpStatusCode.OK, response.StatusCode);
                return;
            }
            catch (HttpRequestException)
            {
                Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(60), "The service does not become ready.");
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, TestContext.Current.CancellationToken);
            }
        }
    }

    /// <summary>Runs the command as an operator does.</summary>
    private async Task<(int Code, string Output, string Errors)> KeysAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { UseShellExecute = false, RedirectStandardError = true, RedirectStandardOutput = true, WorkingDirectory = _folder };
        foreach (string argument in (string[])[Path.Combine(AppContext.BaseDirectory, "Condense.Service.dll"), "keys", .. arguments, $"--Storage:Folder={Path.Combine(_folder, "data")}"])
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        string output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, output, await errors);
    }
}
