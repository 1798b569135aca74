using Condense.Service.Hosting;
using Condense.Service.Storage;
using Npgsql;
using Xunit;

namespace Condense.Service.Tests.Storage;

public sealed class DatabaseStartTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("condense-start-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("", "there is no Storage:ConnectionString")]
    [InlineData("Username=condense", "names no Host")]
    [InlineData("Host=db;Colour=blue", "can't be read")]
    [InlineData("Host=db;Port=many", "can't be read")]
    public async Task A_connection_string_that_can_not_be_used_is_one_sentence_with_an_example(string text, string cause)
    {
        var refusal = await Assert.ThrowsAsync<StartupException>(() => PrepareAsync(text));
        Assert.Contains(cause, refusal.Message, StringComparison.Ordinal);
        Assert.Contains("Host=db;Username=condense", refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refusal.Message);
    }

    [Fact]
    public async Task A_user_or_a_database_that_is_not_there_is_named_and_not_waited_for()
    {
        var server = await PostgresServer.SharedAsync();
        string database = await server.CreateDatabaseAsync();
        var stranger = await Assert.ThrowsAsync<StartupException>(() => PrepareAsync(database.Replace("Username=postgres", "Username=stranger;Password=hush", StringComparison.Ordinal)));
        Assert.Contains("refuses the user \"stranger\"", stranger.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hush", stranger.Message, StringComparison.Ordinal);
        var missing = await Assert.ThrowsAsync<StartupException>(() => PrepareAsync($"Host=127.0.0.1;Port={server.Port};Username=postgres;Database=nowhere"));
        Assert.Contains("has no database \"nowhere\"", missing.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_does_not_come_is_named_after_the_wait()
    {
        int port = ServiceProcess.FreePort();
        var absent = await Assert.ThrowsAsync<StartupException>(() => PrepareAsync($"Host=127.0.0.1;Port={port};Username=x", "--Storage:StartPatience=00:00:01"));
        Assert.Contains($"127.0.0.1:{port} does not answer, waited 1 s", absent.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_user_without_the_right_to_make_tables_is_told_which_right()
    {
        string database = await (await PostgresServer.SharedAsync()).CreateDatabaseAsync();
        await using (var source = NpgsqlDataSource.Create(database))
        {
            await using var command = source.CreateCommand("DROP ROLE IF EXISTS guest; CREATE ROLE guest LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC");
            await command.ExecuteNonQueryAsync(Cancellation);
        }

        var refusal = await Assert.ThrowsAsync<StartupException>(() => PrepareAsync(database.Replace("Username=postgres", "Username=guest", StringComparison.Ordinal)));
        Assert.Contains("Grant it CREATE", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_service_that_starts_before_its_database_waits_for_it()
    {
        await using var server = await PostgresServer.StartAsync();
        string database = await server.CreateDatabaseAsync();
        await server.HaltAsync();
        var starting = PrepareAsync(database);
        Assert.False(starting.IsCompleted);
        await server.ContinueAsync();
        await starting;
    }

    [Fact]
    public async Task Three_services_may_start_on_an_empty_database_at_once_and_share_a_folder()
    {
        string database = await (await PostgresServer.SharedAsync()).CreateDatabaseAsync();
        await Task.WhenAll(PrepareAsync(database), PrepareAsync(database), PrepareAsync(database));
        Assert.Equal(["node-1", "node-2", "node-3"], Directory.GetDirectories(_folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    private async Task PrepareAsync(string connectionString, params string[] settings)
    {
        await using var app = ServiceHost.Build(
            ["--Storage:Provider=Postgres", $"--Storage:ConnectionString={connectionString}", $"--Storage:Folder={_folder}", "--Logging:LogLevel:Default=Warning", .. settings]);
        await ServiceHost.PrepareAsync(app);
    }
}
