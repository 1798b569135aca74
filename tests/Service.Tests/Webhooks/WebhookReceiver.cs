using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Xunit;

namespace Condense.Service.Tests.Webhooks;

/// <summary>A real receiver of webhooks: HTTP on every loopback address, remembers what comes and answers as it is told.</summary>
internal sealed class WebhookReceiver : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(90);

    private readonly ConcurrentQueue<ReceivedWebhook> _received = new();
    private WebApplication _app = null!;

    private WebhookReceiver(Func<HttpContext, ReceivedWebhook, Task> behaviour) => Behaviour = behaviour;

    public Func<HttpContext, ReceivedWebhook, Task> Behaviour { get; set; }

    public int Port { get; private set; }

    public IReadOnlyList<ReceivedWebhook> Received => [.. _received];

    /// <summary>Settings of a service that may send here.</summary>
    public string[] Settings => ["--Webhooks:AllowHttp=true", "--Webhooks:AllowedNetworks:0=127.0.0.0/8", $"--Webhooks:Ports:0={Port}", "--Webhooks:Poll=00:00:00.2"];

    public static Task<WebhookReceiver> StartAsync() => StartAsync((_, _) => Task.CompletedTask);

    public static Task<WebhookReceiver> StartAsync(int status) =>
        StartAsync((http, _) =>
        {
            http.Response.StatusCode = status;
            return Task.CompletedTask;
        });

    public static async Task<WebhookReceiver> StartAsync(Func<HttpContext, ReceivedWebhook, Task> behaviour, X509Certificate2? certificate = null)
    {
        var receiver = new WebhookReceiver(behaviour);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Any, 0, listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            if (certificate is not null)
            {
                listen.KestrelServerOptions.ApplicationServices.GetRequiredService<ILoggerFactory>();
                listen.UseHttps(certificate);
            }
        }));
        builder.WebHost.UseKestrelHttpsConfiguration();
        receiver._app = builder.Build();
        receiver._app.Run(receiver.TakeAsync);
        await receiver._app.StartAsync();
        receiver.Port = new Uri(receiver._app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()).Port;
        return receiver;
    }

    public string Url(string path = "/hook") => $"http://127.0.0.1:{Port}{path}";

    /// <summary>Waits until so many messages satisfy a condition; those.</summary>
    public async Task<IReadOnlyList<ReceivedWebhook>> UntilAsync(int count, Func<ReceivedWebhook, bool>? condition = null)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            ReceivedWebhook[] found = [.. Received.Where(message => condition?.Invoke(message) ?? true)];
            if (found.Length >= count)
            {
                return found;
            }

            Assert.True(TimeProvider.System.GetElapsedTime(start) < s_patience, $"{found.Length} messages of {count}; of all: {string.Join(' ', Received.Select(message => message.Type))}");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }

    private async Task TakeAsync(HttpContext http)
    {
        using var reader = new StreamReader(http.Request.Body);
        var message = new ReceivedWebhook(
            http.Request.Path,
            http.Request.Headers.ToDictionary(header => header.Key.ToLowerInvariant(), header => header.Value.ToString(), StringComparer.Ordinal),
            await reader.ReadToEndAsync(http.RequestAborted),
            http.Connection.LocalIpAddress!);
        _received.Enqueue(message);
        await Behaviour(http, message);
    }
}
