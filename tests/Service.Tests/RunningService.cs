using Condense.Service.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
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

    internal string Folder { get; } = Directory.CreateTempSubdirectory("condense-service-").FullName;

    internal ApiClient Api { get; private set; } = null!;

    internal IServiceProvider Services => _app!.Services;

    internal Uri Address { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        _app = ServiceHost.Build(["--urls", "http://127.0.0.1:0", $"--Storage:Folder={Folder}", "--Logging:LogLevel:Default=Warning", .. _settings]);
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

    /// <summary>Files that lie in a part of the data folder.</summary>
    internal string[] Files(string part) => Directory.GetFiles(Path.Combine(Folder, part), "*", SearchOption.AllDirectories);

    /// <summary>Starts a service with settings of its own.</summary>
    internal static async Task<RunningService> StartAsync(params string[] settings)
    {
        var service = new RunningService(settings);
        await service.InitializeAsync();
        return service;
    }
}
