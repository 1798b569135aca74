using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Condense.Campaigns;

/// <summary>The service as a process of its own, whose anonymous memory is watched.</summary>
internal sealed class MeasuredService : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan s_sample = TimeSpan.FromMilliseconds(20);

    private readonly Process _process;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _watching;
    private long _peak;

    private MeasuredService(Process process, int port)
    {
        _process = process;
        Http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}"), Timeout = TimeSpan.FromMinutes(30) };
        _watching = WatchAsync();
    }

    /// <summary>Speaks to it.</summary>
    public HttpClient Http { get; }

    /// <summary>Starts it and waits until it is ready.</summary>
    public static async Task<MeasuredService> StartAsync(string program, string folder, params string[] settings)
    {
        int port = FreePort();
        var start = new ProcessStartInfo("dotnet") { UseShellExecute = false, RedirectStandardOutput = true, WorkingDirectory = folder };
        foreach (string argument in (string[])[program, "--urls", $"http://127.0.0.1:{port}", $"--Storage:Folder={Path.Combine(folder, "data")}", "--Logging:LogLevel:Default=Warning", .. settings])
        {
            start.ArgumentList.Add(argument);
        }

        var process = Process.Start(start)!;
        process.BeginOutputReadLine();
        var service = new MeasuredService(process, port);
        long began = Stopwatch.GetTimestamp();
        while (!await service.IsReadyAsync())
        {
            if (process.HasExited || Stopwatch.GetElapsedTime(began) > s_patience)
            {
                await service.DisposeAsync();
                throw new InvalidOperationException("The service does not become ready.");
            }

            await Task.Delay(s_sample);
        }

        return service;
    }

    /// <summary>The most anonymous memory since the last call, in MiB.</summary>
    public long TakePeak()
    {
        long peak = Interlocked.Exchange(ref _peak, 0);
        return peak >> 10;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _watching;
        Http.Dispose();
        if (!_process.HasExited)
        {
            using var kill = Process.Start("kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)]);
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
        _stop.Dispose();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private async Task<bool> IsReadyAsync()
    {
        try
        {
            using var response = await Http.GetAsync(new Uri("/readyz", UriKind.Relative));
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private async Task WatchAsync()
    {
        while (!_stop.IsCancellationRequested && !_process.HasExited)
        {
            string? line = File.Exists($"/proc/{_process.Id}/status")
                ? Array.Find(await File.ReadAllLinesAsync($"/proc/{_process.Id}/status"), line => line.StartsWith("RssAnon:", StringComparison.Ordinal))
                : null;
            if (line is not null)
            {
                long kibibytes = long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
                _peak = Math.Max(_peak, kibibytes);
            }

            await Task.Delay(s_sample);
        }
    }
}
