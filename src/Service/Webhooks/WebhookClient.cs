using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Condense.Service.Telemetry;
using Microsoft.Extensions.Options;

namespace Condense.Service.Webhooks;

/// <summary>Speaks to receivers, none of whom is trusted: no redirect, cookie or proxy, one deadline for everything, little is read and nothing kept.</summary>
internal sealed class WebhookClient : IDisposable
{
    private const int MaxAnswerBytes = 64 << 10;
    private const int MaxHeaderKilobytes = 16;
    private const int BufferBytes = 16 << 10;

    private static readonly ProductInfoHeaderValue s_agent =
        new("Condense", typeof(WebhookClient).Assembly.GetName().Version!.ToString(fieldCount: 3));

    private readonly HttpClient _http;
    private readonly IOptions<WebhookOptions> _options;
    private readonly TimeProvider _clock;

    /// <summary>Connects only where the guard lets it.</summary>
    public WebhookClient(WebhookGuard guard, IOptions<WebhookOptions> options, TimeProvider clock)
    {
        _options = options;
        _clock = clock;
        _http = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectCallback = guard.ConnectAsync,
            ActivityHeadersPropagator = null,
            MaxResponseHeadersLength = MaxHeaderKilobytes,
            MaxResponseDrainSize = 0,

            // A name that has moved is followed soon.
            PooledConnectionLifetime = TimeSpan.FromMinutes(1),
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(15),
        })
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    /// <summary>Makes one attempt. Whatever the receiver does, it comes back with an answer.</summary>
    /// <param name="url">Where to.</param>
    /// <param name="secrets">What signs, the newest first.</param>
    /// <param name="delivery">The message.</param>
    /// <param name="at">When it is sent.</param>
    /// <param name="cancellationToken">The process stops.</param>
    /// <exception cref="OperationCanceledException">The process stops; nobody knows whether the receiver has it.</exception>
    public async Task<DeliveryAttempt> SendAsync(string url, IReadOnlyList<string> secrets, Delivery delivery, DateTimeOffset at, CancellationToken cancellationToken)
    {
        long start = _clock.GetTimestamp();
        using var patience = new CancellationTokenSource(_options.Value.Timeout, _clock);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        using var activity = Tracing.Continue("deliver", delivery.TraceParent, ActivityKind.Client);
        int? status = null;
        TimeSpan? retryAfter = null;
        string? error;
        try
        {
            if (WebhookUrl.WhyNot(url, _options.Value) is { } reason)
            {
                throw new UnreachableReceiverException(reason);
            }

            using var request = Request(url, secrets, delivery, at, activity.Id);
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, end.Token);
            status = (int)response.StatusCode;
            retryAfter = RetryAfterOf(response, at);
            await ReadAsync(response, end.Token);
            error = ErrorOf(status.Value);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            error = string.Create(CultureInfo.InvariantCulture, $"There was no whole answer within {_options.Value.Timeout.TotalSeconds:0.#} s.");
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or UnreachableReceiverException)
        {
            error = Describe(exception);
        }

        activity.SetStatus(error is null ? ActivityStatusCode.Ok : ActivityStatusCode.Error);
        return new DeliveryAttempt
        {
            At = at,
            Milliseconds = (int)_clock.GetElapsedTime(start).TotalMilliseconds,
            Status = status,
            Error = error,
            RetryAfter = retryAfter,
        };
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private static HttpRequestMessage Request(string url, IReadOnlyList<string> secrets, Delivery delivery, DateTimeOffset at, string? traceParent)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri(url))
        {
            Content = new ByteArrayContent(Encoding.UTF8.GetBytes(delivery.Payload)),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.UserAgent.Add(s_agent);
        request.Headers.Add("webhook-id", delivery.Id);
        request.Headers.Add("webhook-timestamp", at.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture));
        request.Headers.Add("webhook-signature", WebhookSecret.Sign(secrets, delivery.Id, at, delivery.Payload));
        if (traceParent is not null)
        {
            request.Headers.Add("traceparent", traceParent);
        }

        return request;
    }

    /// <summary>Reads the answer as far as is decent, and forgets it.</summary>
    private static async Task ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        byte[] buffer = new byte[BufferBytes];
        int total = 0;
        int read;
        do
        {
            read = await body.ReadAsync(buffer, cancellationToken);
            total += read;
        }
        while (read > 0 && total < MaxAnswerBytes);
    }

    private static TimeSpan? RetryAfterOf(HttpResponseMessage response, DateTimeOffset now) =>
        response.Headers.RetryAfter is { } header ? header.Delta ?? header.Date - now : null;

    private static string? ErrorOf(int status) => status switch
    {
        >= 200 and < 300 => null,
        >= 300 and < 400 => string.Create(CultureInfo.InvariantCulture, $"The receiver answered {status}: redirects are not followed."),
        410 => "The receiver answered 410: it wants nothing any more.",
        _ => string.Create(CultureInfo.InvariantCulture, $"The receiver answered {status}; only 2xx counts."),
    };

    private static string Describe(Exception exception)
    {
        for (var cause = exception; cause is not null; cause = cause.InnerException)
        {
            if (cause is UnreachableReceiverException)
            {
                return cause.Message;
            }
        }

        string inner = exception.GetBaseException().Message;
        return exception switch
        {
            HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } => $"There is no trustworthy TLS connection: {inner}",
            HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError } => $"There is no connection: {inner}",
            _ => $"The answer can't be read: {inner}",
        };
    }
}
