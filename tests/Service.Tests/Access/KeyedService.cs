using System.Net.Http.Headers;
using Condense.Service.Access;

namespace Condense.Service.Tests.Access;

/// <summary>A service that asks for keys, though it listens on loopback.</summary>
public sealed class KeyedService : RunningService
{
    /// <summary>The key from the configuration. A text of the right form that is no secret anywhere.</summary>
    internal const string FirstKey = "cnd_live_0000000000111111111122222222223333333333444444444455";

    public KeyedService()
        : this([])
    {
    }

    internal KeyedService(params string[] settings)
        : base(["--Access:Keys=required", "--Access:FailuresPerMinute=1000000", "--Logging:LogLevel:Condense.Service.Access=Error",
            "--Webhooks:AllowHttp=true", "--Webhooks:AllowedNetworks:0=127.0.0.0/8", "--Webhooks:Ports:0=9", $"--Access:BootstrapKey={FirstKey}", .. settings])
    {
    }

    /// <summary>Starts one with more settings.</summary>
    internal static async Task<KeyedService> StartKeyedAsync(params string[] settings)
    {
        var service = new KeyedService(settings);
        await service.InitializeAsync();
        return service;
    }

    /// <summary>A client that shows this key.</summary>
    internal ApiClient With(string key)
    {
        var client = new ApiClient(Address);
        client.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return client;
    }

    /// <summary>A new key.</summary>
    internal async Task<string> MakeAsync(string tenant, DateTimeOffset? expiresAt, params string[] scopes)
    {
        await using var scope = Scope(tenant);
        return (await scope.ServiceProvider.GetRequiredService<KeyRing>().CreateAsync(tenant, "test", scopes, expiresAt, CancellationToken.None)).Text;
    }
}
