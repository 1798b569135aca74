using System.Net;
using System.Net.Sockets;

namespace Condense.Service.Tests.Uploads;

/// <summary>Passes TCP connections on, and cuts the first few of them after some bytes.</summary>
internal sealed class CuttingProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly int _cuts;
    private readonly long _bytes;
    private readonly Task _accepting;
    private int _done;

    /// <param name="target">The port behind.</param>
    /// <param name="cuts">How many connections are cut.</param>
    /// <param name="bytes">After how many bytes to the server.</param>
    public CuttingProxy(int target, int cuts, long bytes)
    {
        (Target, _cuts, _bytes) = (target, cuts, bytes);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Target { get; set; }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Connections that were cut.</summary>
    public int Cuts => Volatile.Read(ref _done);

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Stop();
        await _accepting;
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true)
            {
                connections.Add(PassAsync(await _listener.AcceptTcpClientAsync(_end.Token)));
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task PassAsync(TcpClient client)
    {
        using (client)
        using (var server = new TcpClient())
        {
            try
            {
                await server.ConnectAsync(IPAddress.Loopback, Target, _end.Token);
                var back = server.GetStream().CopyToAsync(client.GetStream(), _end.Token);
                await Task.WhenAny(ForwardAsync(client.GetStream(), server.GetStream()), back);
                client.Client.LingerState = new LingerOption(enable: true, seconds: 0);
            }
            catch (Exception exception) when (exception is IOException or SocketException or OperationCanceledException)
            {
                // One of the ends has gone, and the other goes with it.
            }
        }
    }

    private async Task ForwardAsync(NetworkStream from, NetworkStream to)
    {
        byte[] buffer = new byte[16 << 10];
        long passed = 0;
        for (int read; (read = await from.ReadAsync(buffer, _end.Token)) > 0;)
        {
            await to.WriteAsync(buffer.AsMemory(0, read), _end.Token);
            passed += read;
            if (passed >= _bytes && Cuts < _cuts)
            {
                Interlocked.Increment(ref _done);
                return;
            }
        }
    }
}
