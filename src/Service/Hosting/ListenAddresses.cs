using System.Net;
using System.Net.Sockets;
using Condense.Service.Storage;

namespace Condense.Service.Hosting;

/// <summary>Where the service listens: only where nobody but this machine can reach it, unless it is told otherwise.</summary>
internal static class ListenAddresses
{
    /// <summary>The address unless another is configured.</summary>
    public const string Default = "http://127.0.0.1:8080";

    /// <summary>Checks every address before anything is started.</summary>
    /// <exception cref="StartupException">The port of one is taken.</exception>
    public static void Check(WebApplication app)
    {
        foreach (string url in Configured(app.Configuration))
        {
            Check(BindingAddress.Parse(url));
        }
    }

    /// <summary>The first address that other machines can reach; null when there is none.</summary>
    public static string? FirstForeign(IConfiguration configuration) => Configured(configuration).FirstOrDefault(url =>
    {
        var address = BindingAddress.Parse(url);
        return !address.IsUnixPipe && !address.IsNamedPipe && !IsLoopback(address.Host);
    });

    /// <summary>Whether a host name or address means this machine and can't be reached from another.</summary>
    public static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));

    /// <summary>The server itself reads these two settings when it starts; by then it is too late to refuse.</summary>
    private static IEnumerable<string> Configured(IConfiguration configuration) =>
        (configuration[WebHostDefaults.ServerUrlsKey] ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Concat(configuration.GetSection("Kestrel:Endpoints").GetChildren().Select(endpoint => endpoint["Url"]).OfType<string>());

    private static void Check(BindingAddress address)
    {
        if (address.IsUnixPipe || address.IsNamedPipe || address.Port == 0)
        {
            return;
        }

        // A name that is no address, and * or +, mean every address.
        var ip = IPAddress.TryParse(address.Host, out var parsed) ? parsed : IsLoopback(address.Host) ? IPAddress.Loopback : IPAddress.Any;
        try
        {
            using var probe = new TcpListener(ip, address.Port);
            probe.Start();
        }
        catch (SocketException exception) when (exception.SocketErrorCode is SocketError.AddressAlreadyInUse or SocketError.AccessDenied)
        {
            string cause = exception.SocketErrorCode == SocketError.AccessDenied ? "needs more rights" : "is taken by another process";
            throw new StartupException(
                $"Port {address.Port} on {address.Host} {cause}. Stop that process, or choose another port: --urls http://127.0.0.1:{(address.Port == 8081 ? 8082 : 8081)}.", exception);
        }
    }
}
