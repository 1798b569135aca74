using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Xunit;

namespace Condense.Conventions.Tests;

/// <summary>The service as a user starts it: the built program, a free port, an empty data folder.</summary>
internal sealed class RunningService : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private readonly List<string> _log = [];
    private readonly string _data = Directory.CreateTempSubdirectory("condense-service-").FullName;
    private readonly Process _process;

    private RunningService()
    {
        _process = new Process
        {
            StartInfo = new ProcessStartInfo("dotnet", [Repository.Assembly("Service"), "--urls", Address, $"--Storage:Folder={_data}"])
            {
                WorkingDirectory = _data,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                UseShellExecute = false,
            },
        };
        _process.OutputDataReceived += Keep;
        _process.ErrorDataReceived += Keep;
    }

    /// <summary>Where it listens, as <c>CONDENSE_PORT</c> says it.</summary>
    public string Port { get; } = FreePort().ToString(CultureInfo.InvariantCulture);

    private string Address => $"http://127.0.0.1:{Port}";

    /// <summary>Starts one and waits until it is ready.</summary>
    public static async Task<RunningService> StartAsync()
    {
        var service = new RunningService();
        service._process.Start();
        service._process.BeginOutputReadLine();
        service._process.BeginErrorReadLine();

        using var client = new HttpClient();
        long start = Stopwatch.GetTimestamp();
        while (!await IsReadyAsync(client, new Uri($"{service.Address}/readyz")))
        {
            if (service._process.HasExited || Stopwatch.GetElapsedTime(start) > s_patience)
            {
                string log = service.Log();
                await service.DisposeAsync();
                Assert.Fail($"The service did not become ready:{Environment.NewLine}{log}");
            }

            await Task.Delay(100, TestContext.Current.CancellationToken);
        }

        return service;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        Directory.Delete(_data, recursive: true);
    }

    /// <summary>The last lines that it printed.</summary>
    public string Log()
    {
        lock (_log)
        {
            return string.Join(Environment.NewLine, _log.TakeLast(40));
        }
    }

    private static async Task<bool> IsReadyAsync(HttpClient client, Uri address)
    {
        try
        {
            using var response = await client.GetAsync(address);
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false; // It does not listen yet.
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        lock (_log)
        {
            _log.Add(line.Data ?? "");
        }
    }
}
