using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Condense.Service.Problems;
using Condense.Service.Webhooks;
using Microsoft.Extensions.Options;
using Xunit;

namespace Condense.Service.Tests.Webhooks;

/// <summary>What receivers try, and what names do.</summary>
public sealed class WebhookClientTests
{
    private const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=";

    private static readonly IPAddress s_public = IPAddress.Parse("93.184.216.34");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_name_that_was_public_and_is_not_any_more_is_not_connected_to()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var options = new WebhookOptions { AllowHttp = true, Ports = [receiver.Port] };
        var resolver = new ScriptedResolver([s_public], [IPAddress.Loopback]);
        string url = $"http://rebinding.example.com:{receiver.Port}/";
        await Guard(options, resolver).RequireAsync(url, "/url", Cancellation);

        var attempt = await SendAsync(options, resolver, url);
        Assert.Equal((null, "The name rebinding.example.com has no public address."), (attempt.Status, attempt.Error));
        Assert.Empty(receiver.Received);
    }

    [Fact]
    public async Task A_name_with_one_inner_address_among_public_ones_is_refused()
    {
        var options = new WebhookOptions();
        var problem = await Assert.ThrowsAsync<ProblemException>(
            () => Guard(options, new ScriptedResolver([s_public, IPAddress.Parse("::ffff:10.0.0.1")])).RequireAsync("https://both.example.com/", "/url", Cancellation));
        Assert.Equal(("webhook_url_forbidden", "/url"), (problem.Kind.Code, problem.Errors.Single().Pointer));

        // In the words of a name that does not exist: who asks learns nothing of the names inside.
        Assert.Equal("Webhooks are not sent there: The name both.example.com has no public address.", problem.Message);
    }

    [Fact]
    public async Task The_connection_goes_to_the_very_address_that_was_judged()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var options = new WebhookOptions { AllowHttp = true, Ports = [receiver.Port], AllowedNetworks = ["127.0.0.5/32"] };
        var resolver = new ScriptedResolver([IPAddress.Parse("127.0.0.5")], [IPAddress.Loopback]);
        var attempt = await SendAsync(options, resolver, $"http://receiver.example.com:{receiver.Port}/");
        Assert.Equal((200, null), (attempt.Status, attempt.Error));
        Assert.Equal(IPAddress.Parse("127.0.0.5"), receiver.Received.Single().At);
        Assert.Equal(1, resolver.Questions);
        Assert.Equal($"receiver.example.com:{receiver.Port}", receiver.Received.Single().Headers["host"]);
    }

    [Fact]
    public async Task A_name_without_addresses_is_refused_and_one_that_nobody_could_be_asked_about_is_not()
    {
        var unknown = await Assert.ThrowsAsync<ProblemException>(
            () => Guard(new WebhookOptions(), new ScriptedResolver(Array.Empty<IPAddress>())).RequireAsync("https://unknown.example.com/", "/url", Cancellation));
        Assert.Equal("Webhooks are not sent there: The name unknown.example.com has no public address.", unknown.Message);
        await Guard(new WebhookOptions(), new AwayResolver()).RequireAsync("https://known.example.com/", "/url", Cancellation);
        var attempt = await SendAsync(new WebhookOptions(), new AwayResolver(), "https://known.example.com/");
        Assert.Equal("Nobody could be asked for the addresses of known.example.com.", attempt.Error);
    }

    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task Redirects_are_failures_and_not_followed(int status)
    {
        await using var receiver = await WebhookReceiver.StartAsync((http, _) =>
        {
            http.Response.StatusCode = status;
            http.Response.Headers.Location = "/elsewhere";
            return Task.CompletedTask;
        });
        var attempt = await SendAsync(receiver);
        Assert.Equal((status, $"The receiver answered {status}: redirects are not followed."), (attempt.Status, attempt.Error));
        Assert.Equal(["/hook"], receiver.Received.Select(message => message.Path));
    }

    [Theory]
    [InlineData(200, null)]
    [InlineData(204, null)]
    [InlineData(299, null)]
    [InlineData(400, "The receiver answered 400; only 2xx counts.")]
    [InlineData(500, "The receiver answered 500; only 2xx counts.")]
    public async Task Only_2xx_counts(int status, string? error)
    {
        await using var receiver = await WebhookReceiver.StartAsync(status);
        var attempt = await SendAsync(receiver);
        Assert.Equal((status, error), (attempt.Status, attempt.Error));
    }

    [Fact]
    public async Task An_endless_answer_is_left_after_the_first_part()
    {
        const int Megabytes = 200;
        long written = 0;
        var left = new TaskCompletionSource();
        await using var receiver = await WebhookReceiver.StartAsync(async (http, _) =>
        {
            try
            {
                while (written < Megabytes << 20)
                {
                    await http.Response.Body.WriteAsync(new byte[64 << 10], http.RequestAborted);
                    written += 64 << 10;
                }
            }
            finally
            {
                left.SetResult();
            }
        });
        var attempt = await SendAsync(receiver);
        Assert.Equal((200, null), (attempt.Status, attempt.Error));
        await left.Task.WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System, Cancellation);
        Assert.InRange(written, 0, (Megabytes << 20) - 1);
    }

    [Fact]
    public async Task Endless_headers_are_a_failure()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var serving = Task.Run(
            async () =>
            {
                using var client = await listener.AcceptTcpClientAsync(Cancellation);
                await using var stream = client.GetStream();
                await stream.WriteAsync("HTTP/1.1 200 OK\r\n"u8.ToArray(), Cancellation);
                for (int i = 0; i < 100_000; i++)
                {
                    await stream.WriteAsync("X-More: and more and more and more and more and more\r\n"u8.ToArray(), Cancellation);
                }
            },
            Cancellation);
        var attempt = await SendAsync(Loopback(port), new ScriptedResolver([]), $"http://127.0.0.1:{port}/");
        Assert.Null(attempt.Status);
        Assert.StartsWith("The answer can't be read", attempt.Error, StringComparison.Ordinal);
        await Assert.ThrowsAnyAsync<IOException>(() => serving);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_receiver_that_hangs_is_left_when_the_time_is_up(bool afterHeaders)
    {
        var released = new TaskCompletionSource();
        await using var receiver = await WebhookReceiver.StartAsync(async (http, _) =>
        {
            if (afterHeaders)
            {
                await http.Response.StartAsync();
                await http.Response.Body.FlushAsync();
            }

            await released.Task;
        });
        var attempt = await SendAsync(Loopback(receiver.Port) with { Timeout = TimeSpan.FromSeconds(0.5) }, new ScriptedResolver([]), receiver.Url());
        released.SetResult();
        Assert.Equal("There was no whole answer within 0.5 s.", attempt.Error);
        Assert.Equal(afterHeaders ? 200 : null, attempt.Status);
    }

    [Fact]
    public async Task A_port_that_nobody_listens_on_is_a_failure_in_words()
    {
        int port = ServiceProcess.FreePort();
        var attempt = await SendAsync(Loopback(port), new ScriptedResolver([]), $"http://127.0.0.1:{port}/");
        Assert.StartsWith("There is no connection:", attempt.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_that_nobody_trusts_is_a_failure_and_nothing_is_sent()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=receiver.example.com", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("receiver.example.com");
        request.CertificateExtensions.Add(names.Build());
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        await using var receiver = await WebhookReceiver.StartAsync((_, _) => Task.CompletedTask, certificate);
        var attempt = await SendAsync(Loopback(receiver.Port), new ScriptedResolver([IPAddress.Loopback]), $"https://receiver.example.com:{receiver.Port}/");
        Assert.Null(attempt.Status);
        Assert.StartsWith("There is no trustworthy TLS connection:", attempt.Error, StringComparison.Ordinal);
        Assert.Empty(receiver.Received);
    }

    [Fact]
    public async Task A_proxy_of_the_environment_is_passed_by()
    {
        await using var proxy = await WebhookReceiver.StartAsync();
        await using var receiver = await WebhookReceiver.StartAsync();
        var before = HttpClient.DefaultProxy;
        HttpClient.DefaultProxy = new ProxyForOneHost("proxied.example.com", new Uri($"http://127.0.0.1:{proxy.Port}"));
        try
        {
            var attempt = await SendAsync(Loopback(receiver.Port), new ScriptedResolver([IPAddress.Loopback]), $"http://proxied.example.com:{receiver.Port}/");
            Assert.Null(attempt.Error);
        }
        finally
        {
            HttpClient.DefaultProxy = before;
        }

        Assert.Single(receiver.Received);
        Assert.Empty(proxy.Received);
    }

    [Fact]
    public async Task The_trace_of_the_event_is_passed_on()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        using var unrelated = new Activity("unrelated").SetIdFormat(ActivityIdFormat.W3C).Start();
        await SendAsync(receiver);
        Assert.StartsWith("00-0af7651916cd43dd8448eb211c80319c-", receiver.Received.Single().Headers["traceparent"], StringComparison.Ordinal);
    }

    private static WebhookOptions Loopback(int port) => new() { AllowHttp = true, Ports = [port], AllowedNetworks = ["127.0.0.0/8"] };

    private static WebhookGuard Guard(WebhookOptions options, IHostResolver resolver) => new(resolver, Options.Create(options), TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger<WebhookGuard>.Instance);

    private static Task<DeliveryAttempt> SendAsync(WebhookReceiver receiver) => SendAsync(Loopback(receiver.Port), new ScriptedResolver([]), receiver.Url());

    private static async Task<DeliveryAttempt> SendAsync(WebhookOptions options, IHostResolver resolver, string url)
    {
        using var client = new WebhookClient(Guard(options, resolver), Options.Create(options), TimeProvider.System);
        var delivery = new Delivery
        {
            Id = "dlv_1",
            TenantId = "default",
            Type = "job.succeeded",
            Payload = """{"type":"job.succeeded"}""",
            TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            State = "pending",
            DueAt = 0,
            CreatedAt = TimeProvider.System.GetUtcNow(),
        };
        return await client.SendAsync(url, [Secret], delivery, TimeProvider.System.GetUtcNow(), Cancellation);
    }

    /// <summary>Answers one question after the other from a list, then the last answer for ever.</summary>
    private sealed class ScriptedResolver(params IReadOnlyList<IPAddress>[] answers) : IHostResolver
    {
        public int Questions { get; private set; }

        public Task<IReadOnlyList<IPAddress>> ResolveAsync(string host, CancellationToken cancellationToken) =>
            Task.FromResult(answers[int.Min(Questions++, answers.Length - 1)]);
    }

    /// <summary>Can't be asked.</summary>
    private sealed class AwayResolver : IHostResolver
    {
        public Task<IReadOnlyList<IPAddress>> ResolveAsync(string host, CancellationToken cancellationToken) => throw new SocketException((int)SocketError.TryAgain);
    }

    private sealed class ProxyForOneHost(string host, Uri proxy) : IWebProxy
    {
        public ICredentials? Credentials { get; set; }

        public Uri? GetProxy(Uri destination) => IsBypassed(destination) ? null : proxy;

        public bool IsBypassed(Uri host1) => host1.Host != host;
    }
}
