using Condense.Service.Access;
using Condense.Service.Hosting;
using Condense.Service.Storage;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.EntityFrameworkCore;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Xunit;

namespace Condense.Service.Tests;

/// <summary>The service in this process, on a port and in a folder of its own.</summary>
public class RunningService : IAsyncLifetime
{
    private readonly string[] _settings;
    private WebApplication? _app;

    public RunningService()
        : this([])
    {
    }

    internal RunningService(params string[] settings) => _settings = settings;

    /// <summary>The database of the tests that do not choose one: <c>sqlite</c>, or by this variable <c>postgres</c>.</summary>
    internal static bool OnPostgres { get; } = Environment.GetEnvironmentVariable("CONDENSE_TEST_DATABASE") == "postgres";

    internal string Folder { get; } = Directory.CreateTempSubdirectory("condense-service-").FullName;

    internal ApiClient Api { get; private set; } = null!;

    internal IServiceProvider Services => _app!.Services;

    internal Uri Address { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        string[] database = OnPostgres && !_settings.Any(setting => setting.StartsWith("--Storage:Provider", StringComparison.Ordinal)) ? await PostgresSettingsAsync() : [];
        _app = ServiceHost.Build(["--urls", "http://127.0.0.1:0", $"--Storage:Folder={Folder}", "--Logging:LogLevel:Default=Warning", .. database, .. _settings]);
        await ServiceHost.PrepareAsync(_app);
        await _app.StartAsync();
        Address = new Uri(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        Api = new ApiClient(Address);
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        Api.Dispose();
        await _app!.StopAsync();
        await _app.DisposeAsync();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        Directory.Delete(Folder, recursive: true);
    }

    /// <summary>A scope of services that works on behalf of a tenant.</summary>
    internal AsyncServiceScope Scope(string tenant = Tenant.Default)
    {
        var scope = Services.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<Caller>().Become(tenant);
        return scope;
    }

    /// <summary>Files that lie in a part of the data folder.</summary>
    internal string[] Files(string part) => Directory.GetFiles(Path.Combine(Services.GetRequiredService<DataFolder>().Root, part), "*", SearchOption.AllDirectories);

    /// <summary>How many times these bytes lie in the store.</summary>
    internal async Task<int> CopiesAsync(byte[] bytes)
    {
        int files = Files("artifacts").Count(path => File.ReadAllBytes(path).SequenceEqual(bytes));
        await using var scope = Scope();
        return files + await scope.ServiceProvider.GetRequiredService<CondenseDbContext>().Chunks.CountAsync(chunk => chunk.Data == bytes, TestContext.Current.CancellationToken);
    }

    /// <summary>Settings for a service on an empty PostgreSQL database.</summary>
    internal static async Task<string[]> PostgresSettingsAsync() =>
        ["--Storage:Provider=Postgres", $"--Storage:ConnectionString={await (await PostgresServer.SharedAsync()).CreateDatabaseAsync()}"];

    /// <summary>Starts a service with settings of its own.</summary>
    internal static async Task<RunningService> StartAsync(params string[] settings)
    {
        var service = new RunningService(settings);
        await service.InitializeAsync();
        return service;
    }
}
