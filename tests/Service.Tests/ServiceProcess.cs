using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Xunit;

namespace Condense.Service.Tests;

/// <summary>The service as a process of its own, as users start it.</summary>
internal sealed class ServiceProcess : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(180);

    private readonly Process _process;
    private readonly Task<string> _errors;
    private readonly ConcurrentQueue<string> _output = new();

    private ServiceProcess(Process process, int port)
    {
        _process = process;
        _errors = process.StandardError.ReadToEndAsync();
        process.OutputDataReceived += (_, line) => _output.Enqueue(line.Data ?? "");
        process.BeginOutputReadLine();
        Api = new ApiClient(new Uri($"http://127.0.0.1:{port}"));
    }

    public ApiClient Api { get; }

    public int Id => _process.Id;

    /// <summary>The lines that it has written to its standard output: its log.</summary>
    public IReadOnlyList<string> Output => [.. _output];

    /// <summary>A port that nobody listens on.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Starts the process without waiting for anything.</summary>
    /// <param name="folder">Its working folder.</param>
    /// <param name="port">Where it listens.</param>
    /// <param name="settings">Its settings; one that only the test host knows starts that one.</param>
    public static ServiceProcess Start(string folder, int port, params string[] settings) =>
        Start(folder, port, ["--urls", $"http://127.0.0.1:{port}", $"--Storage:Folder={Path.Combine(folder, "data")}"], settings);

    /// <summary>Starts a command of the same program, which ends by itself.</summary>
    public static ServiceProcess Command(string folder, params string[] arguments) =>
        Start(folder, 0, arguments, [$"--Storage:Folder={Path.Combine(folder, "data")}"]);

    private static ServiceProcess Start(string folder, int port, string[] first, string[] then)
    {
        string program = then.Any(setting => setting.StartsWith("--skew", StringComparison.Ordinal)) ? "Condense.TestHost.dll" : "Condense.Service.dll";
        var start = new ProcessStartInfo("dotnet")
        {
            UseShellExecute = false,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            WorkingDirectory = folder,
        };
        string[] all = [Path.Combine(AppContext.BaseDirectory, program), .. first, .. then];
        foreach (string argument in all)
        {
            start.ArgumentList.Add(argument);
        }

        return new ServiceProcess(Process.Start(start)!, port);
    }

    /// <summary>Starts the process and waits until it is ready.</summary>
    public static async Task<ServiceProcess> StartReadyAsync(string folder, params string[] settings)
    {
        var service = Start(folder, FreePort(), settings);
        long start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                using var response = await service.Api.SendAsync(HttpMethod.Get, "/readyz");
                if (response.IsSuccessStatusCode)
                {
                    return service;
                }
            }
            catch (HttpRequestException)
            {
                Assert.False(service._process.HasExited, service._process.HasExited ? $"The service ended: {await service._errors}" : "");
            }

            Assert.True(TimeProvider.System.GetElapsedTime(start) < s_patience, "The service does not become ready.");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Says why, if it has ended by itself.</summary>
    public void AssertRuns() =>
        Assert.False(_process.HasExited, _process.HasExited ? $"The service has ended with {_process.ExitCode}: {_errors.GetAwaiter().GetResult()}{string.Join('\n', Output)}" : "");

    /// <summary>Ends it without a warning: SIGKILL.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await ExitAsync();
    }

    /// <summary>Asks it to end: SIGTERM.</summary>
    public async Task<(int Code, string Errors)> TerminateAsync()
    {
        await SignalAsync("TERM");
        return await ExitAsync();
    }

    /// <summary>Sends it a signal, for example <c>STOP</c>.</summary>
    public async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{_process.Id}"]);
        await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Waits for its end.</summary>
    public async Task<(int Code, string Errors)> ExitAsync()
    {
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (_process.ExitCode, await _errors);
    }

    public async ValueTask DisposeAsync()
    {
        Api.Dispose();
        if (!_process.HasExited)
        {
            await KillAsync();
        }

        _process.Dispose();
    }
}
