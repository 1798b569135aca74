using System.Net;
using System.Text.Json.Nodes;
using Xunit;

namespace Condense.Service.Tests.Telemetry;

public sealed class LogTests : IDisposable
{
    private const string Trace = "0af7651916cd43dd8448eb211c80319c";
    private const string Password = "hunter2-password-of-the-database";
    private const string BearerKey = "cnd_live_0123456789abcdefghijABCDEFGHIJ0123456789abcdefghij";

    private readonly string _folder = Directory.CreateTempSubdirectory("condense-log-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Every_line_of_a_run_is_one_document_that_names_its_job_and_trace_and_no_secret()
    {
        string[] settings = await RunningService.PostgresSettingsAsync();
        settings[^1] += $";Password={Password}";
        await using var service = await ServiceProcess.StartReadyAsync(_folder, ["--Logging:Console:FormatterName=json", "--Logging:LogLevel:Default=Debug", .. settings]);

        // A name, an address and a header that would like to begin a line of their own.
        const string forged = "x\r\n{\"LogLevel\":\"Critical\",\"Message\":\"forged\"}";
        using var upload = await service.Api.UploadAsync(SampleModels.Named(forged), $"?name={Uri.EscapeDataString("forged")}", ("Authorization", $"Bearer {BearerKey}"));
        Assert.Contains(upload.StatusCode, new[] { HttpStatusCode.Created, HttpStatusCode.UnprocessableEntity });
        using var odd = await service.Api.SendAsync(HttpMethod.Get, $"/v1/models/{Uri.EscapeDataString(forged)}", null, ("Authorization", $"Bearer {BearerKey}"));
        Assert.False(odd.IsSuccessStatusCode);
        string model = await service.Api.AddModelAsync(SampleModels.Layers(1, 64, 48));
        string json = new JsonObject { ["model"] = model, ["target"] = new JsonObject { ["ratio"] = 2 } }.ToJsonString();
        using var created = await service.Api.SendAsync(HttpMethod.Post, "/v1/jobs", ApiClient.Json(json), ("traceparent", $"00-{Trace}-00f067aa0ba902b7-01"));
        string job = (string)(await ApiClient.CreatedAsync(created))["id"]!;
        await service.Api.EndAsync(job);
        await service.TerminateAsync();

        string log = string.Join('\n', service.Output);
        Assert.DoesNotContain(Password, log, StringComparison.Ordinal);
        Assert.DoesNotContain(BearerKey, log, StringComparison.Ordinal);
        JsonNode[] entries = [.. service.Output.Where(line => line.Length > 0).Select(line => JsonNode.Parse(line)!)];
        Assert.DoesNotContain(entries, entry => (string?)entry["LogLevel"] == "Critical" || (string?)entry["Message"] == "forged");

        var began = Assert.Single(entries, entry => (int)entry["EventId"]! == 3030 && ((string)entry["Message"]!).Contains(job, StringComparison.Ordinal));
        var scopes = began["Scopes"]!.AsArray().OfType<JsonObject>().SelectMany(scope => scope).Where(pair => pair.Key != "Message").ToLookup(pair => pair.Key, pair => pair.Value!.ToString());
        Assert.Contains(job, scopes["Job"]);
        Assert.Contains("1", scopes["Attempt"]);
        Assert.Contains("default", scopes["Tenant"]);
        Assert.Contains(Trace, scopes["TraceId"]);
        Assert.Contains(entries, entry => (int)entry["EventId"]! == 3031 && ((string)entry["Message"]!).EndsWith("succeeded", StringComparison.Ordinal));
    }

    [Fact]
    public async Task On_a_terminal_too_a_name_can_not_begin_a_line()
    {
        await using var service = await ServiceProcess.StartReadyAsync(_folder);
        await BreakTheDatabaseAsync();
        using var response = await service.Api.SendAsync(HttpMethod.Get, $"/v1/models/{Uri.EscapeDataString("x\r\ncrit: Condense[1]\r\n      forged\rcrit: again\u2028\u001b[2J")}");
        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        await service.TerminateAsync();
        Assert.Contains(service.Output, line => line.Contains("forged", StringComparison.Ordinal));
        Assert.DoesNotContain(service.Output, line => line.StartsWith("crit", StringComparison.Ordinal) || line.Contains('\r', StringComparison.Ordinal) || line.Contains('\u001b', StringComparison.Ordinal));
    }

    /// <summary>The file's table of models is no more: what asks for one fails through our fault, and is logged.</summary>
    private async Task BreakTheDatabaseAsync()
    {
        await using var connection = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={Path.Combine(_folder, "data", "condense.db")};Pooling=False");
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = connection.CreateCommand();
        command.CommandText = "ALTER TABLE model RENAME TO lost";
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }
}
