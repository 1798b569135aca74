using System.Net;
using System.Net.Sockets;
using Condense.Service.Storage;

namespace Condense.Service.Hosting;

/// <summary>Where the service listens: only where nobody but this machine can reach it, as this version asks for no keys.</summary>
internal static class ListenAddresses
{
    /// <summary>The address unless another is configured.</summary>
    public const string Default = "http://127.0.0.1:8080";

    /// <summary>Checks every address before anything is started.</summary>
    /// <exception cref="StartupException">One can be reached from elsewhere, or its port is taken.</exception>
    public static void Check(WebApplication app)
    {
        // The server itself reads these two when it starts; by then it is too late to refuse.
        string[] urls = (app.Configuration[WebHostDefaults.ServerUrlsKey] ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var endpoints = app.Configuration.GetSection("Kestrel:Endpoints").GetChildren().Select(endpoint => endpoint["Url"]).OfType<string>();
        foreach (string url in urls.Concat(endpoints))
        {
            Check(BindingAddress.Parse(url), url);
        }
    }

    /// <summary>Whether a host name or address means this machine and can't be reached from another.</summary>
    public static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));

    private static void Check(BindingAddress address, string url)
    {
        if (address.IsUnixPipe || address.IsNamedPipe)
        {
            return;
        }

        if (!IsLoopback(address.Host))
        {
            throw new StartupException(
                $"{url} can be reached from other machines, and keys are not part of this version. Listen on loopback, for example --urls {Default}.");
        }

        if (address.Port == 0)
        {
            return;
        }

        var ip = IPAddress.TryParse(address.Host, out var parsed) ? parsed : IPAddress.Loopback;
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
