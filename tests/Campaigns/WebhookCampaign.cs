using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace Condense.Campaigns;

/// <summary>
/// Fills the outbox of a service that does not send, starts it again as one that does, and watches the outbox drain to receivers of which some are
/// slow and some fail at first: how fast, how much memory, and whether every message arrives.
/// </summary>
internal sealed class WebhookCampaign(string program, int deliveries, string? connectionString) : IDisposable
{
    private const int Endpoints = 20;

    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan s_slowness = TimeSpan.FromSeconds(1);

    private readonly string _folder = Directory.CreateTempSubdirectory("condense-webhooks-").FullName;
    private readonly ConcurrentDictionary<string, (string Kind, int Attempts, TimeSpan At)> _messages = new(StringComparer.Ordinal);
    private readonly Stopwatch _watch = new();
    private int _taken;

    /// <summary>Runs it and prints a Markdown table.</summary>
    /// <returns>Whether every message was taken.</returns>
    public async Task<bool> RunAsync(TextWriter output)
    {
        int port = FreePort();
        using var listener = new HttpListener { Prefixes = { $"http://127.0.0.1:{port}/" } };
        listener.Start();
        var serving = ServeAsync(listener);
        await FillAsync(port);

        using var service = Start(out var http, port, sends: true);
        using (http)
        {
            await UntilReadyAsync(http, service);
            _watch.Start();
            while (Volatile.Read(ref _taken) < deliveries && _watch.Elapsed < s_patience)
            {
                await Task.Delay(10);
            }
        }

        string memory = Array.Find(await File.ReadAllLinesAsync($"/proc/{service.Id}/status"), line => line.StartsWith("VmHWM", StringComparison.Ordinal))!;
        await EndAsync(service);
        listener.Stop();
        await serving;
        await output.WriteLineAsync($"{(connectionString is null ? "SQLite" : "PostgreSQL")}: {deliveries} deliveries of {Endpoints} endpoints, {Environment.ProcessorCount} processors; peak resident memory of the service {long.Parse(memory.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) >> 10} MiB\n");
        await output.WriteLineAsync("| receivers | messages | attempts | last taken after s | messages/s |\n|---|---|---|---|---|");
        foreach (var kind in _messages.Values.GroupBy(message => message.Kind, StringComparer.Ordinal).OrderBy(kind => kind.Key, StringComparer.Ordinal))
        {
            double last = kind.Max(message => message.At.TotalSeconds);
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"| {kind.Key} | {kind.Count()} | {kind.Sum(message => message.Attempts)} | {last:F1} | {kind.Count() / last:F0} |"));
        }

        return _messages.Count == deliveries && _taken == deliveries;
    }

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Twelve endpoints answer at once, four after a second, four fail at the first attempt of every message.</summary>
    private static string KindOf(int endpoint) => endpoint switch
    {
        < 12 => "quick",
        < 16 => "slow (1 s)",
        _ => "failing at first",
    };

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static async Task UntilReadyAsync(HttpClient http, Process service)
    {
        while (true)
        {
            try
            {
                using var response = await http.GetAsync(new Uri("/readyz", UriKind.Relative));
                if (response.IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (HttpRequestException) when (!service.HasExited)
            {
                // Not yet.
            }

            await Task.Delay(20);
        }
    }

    private static async Task EndAsync(Process service)
    {
        using var kill = Process.Start("kill", ["-TERM", service.Id.ToString(CultureInfo.InvariantCulture)]);
        await service.WaitForExitAsync();
    }

    /// <summary>A model of one small tensor, unlike any other.</summary>
    private static ByteArrayContent Model(int seed)
    {
        byte[] header = Encoding.ASCII.GetBytes("""{"w":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}""".PadRight(64));
        byte[] file = [.. BitConverter.GetBytes((long)header.Length), .. header, .. BitConverter.GetBytes((float)seed), .. BitConverter.GetBytes(1f)];
        var content = new ByteArrayContent(file);
        content.Headers.ContentType = new("application/octet-stream");
        return content;
    }

    private Process Start(out HttpClient http, int port, bool sends)
    {
        int own = FreePort();
        http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{own}") };
        string[] database = connectionString is null ? [] : ["--Storage:Provider=Postgres", $"--Storage:ConnectionString={connectionString}"];
        return Process.Start(new ProcessStartInfo("dotnet",
        [
            program, "--urls", $"http://127.0.0.1:{own}", $"--Storage:Folder={Path.Combine(_folder, "data")}", "--Logging:LogLevel:Default=Warning", "--Webhooks:AllowHttp=true",
            "--Webhooks:AllowedNetworks:0=127.0.0.0/8", $"--Webhooks:Ports:0={port}", $"--Webhooks:Send={sends}", .. database,
        ]))!;
    }

    private async Task FillAsync(int port)
    {
        using var service = Start(out var http, port, sends: false);
        using (http)
        {
            await UntilReadyAsync(http, service);
            for (int i = 0; i < Endpoints; i++)
            {
                using var made = await http.PostAsJsonAsync("/v1/webhooks", new { url = $"http://127.0.0.1:{port}/{i}", events = new[] { "model.ready" } });
                made.EnsureSuccessStatusCode();
            }

            for (int i = 0; i < deliveries / Endpoints; i++)
            {
                using var uploaded = await http.PostAsync(new Uri("/v1/models", UriKind.Relative), Model(i));
                uploaded.EnsureSuccessStatusCode();
            }

            while ((await http.GetFromJsonAsync<JsonNode>("/v1/models?limit=100"))!["data"]!.AsArray().Any(model => (string?)model!["state"] == "validating"))
            {
                await Task.Delay(100);
            }
        }

        await EndAsync(service);
    }

    private async Task ServeAsync(HttpListener listener)
    {
        while (true)
        {
            HttpListenerContext context;
            try
            {
                context = await listener.GetContextAsync();
            }
            catch (Exception exception) when (exception is HttpListenerException or ObjectDisposedException)
            {
                return;
            }

            _ = Task.Run(() => AnswerAsync(context));
        }
    }

    private async Task AnswerAsync(HttpListenerContext context)
    {
        string kind = KindOf(int.Parse(context.Request.Url!.AbsolutePath[1..], CultureInfo.InvariantCulture));
        if (kind.StartsWith("slow", StringComparison.Ordinal))
        {
            await Task.Delay(s_slowness);
        }

        var message = _messages.AddOrUpdate(
            context.Request.Headers["webhook-id"]!, _ => (kind, 1, _watch.Elapsed), (_, known) => (kind, known.Attempts + 1, _watch.Elapsed));
        bool takes = message.Attempts > (kind.StartsWith("failing", StringComparison.Ordinal) ? 1 : 0);
        context.Response.StatusCode = takes ? 204 : 500;
        context.Response.Close();
        if (takes)
        {
            Interlocked.Increment(ref _taken);
        }
    }
}
