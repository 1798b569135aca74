using Npgsql;
using Xunit;

namespace Condense.Service.Tests.Storage;

public sealed class MigrateCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("condense-migrate-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_start_that_may_not_migrate_is_refused_until_the_command_has_run()
    {
        string[] settings = await RunningService.PostgresSettingsAsync();
        await using (var early = ServiceProcess.Start(_folder, 0, ["--Storage:Migrate=false", .. settings]))
        {
            var (code, errors) = await early.ExitAsync();
            Assert.NotEqual(0, code);
            Assert.Contains("Condense.Service migrate", errors, StringComparison.Ordinal);
            Assert.Single(errors.Trim().Split('\n'));
        }

        Assert.Empty(await TablesAsync(settings));
        await using (var command = ServiceProcess.Command(_folder, ["migrate", .. settings]))
        {
            Assert.Equal((0, ""), await command.ExitAsync());
        }

        var tables = await TablesAsync(settings);
        Assert.Contains("job", tables);
        Assert.Contains(tables, table => table.StartsWith("qrtz_", StringComparison.Ordinal));

        await using var late = await ServiceProcess.StartReadyAsync(_folder, ["--Storage:Migrate=false", .. settings]);
        await late.Api.AddModelAsync(SampleModels.Layers(1, 64, 48));
        Assert.Equal(tables, await TablesAsync(settings));
    }

    [Fact]
    public async Task A_database_that_does_not_answer_is_one_line()
    {
        await using var command = ServiceProcess.Command(
            _folder, "migrate", "--Storage:StartPatience=00:00:01", "--Storage:Provider=Postgres", $"--Storage:ConnectionString=Host=127.0.0.1;Port={ServiceProcess.FreePort()};Username=u;Password=hunter2;Database=d");
        var (code, errors) = await command.ExitAsync();
        Assert.Equal(1, code);
        Assert.Contains("does not answer", errors, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", errors, StringComparison.Ordinal);
        Assert.Single(errors.Trim().Split('\n'));
    }

    private static async Task<string[]> TablesAsync(string[] settings)
    {
        await using var source = NpgsqlDataSource.Create(settings[^1].Split('=', 2)[1]);
        await using var command = source.CreateCommand("SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1");
        await using var reader = await command.ExecuteReaderAsync(Cancellation);
        var names = new List<string>();
        while (await reader.ReadAsync(Cancellation))
        {
            names.Add(reader.GetString(0));
        }

        return [.. names];
    }
}
