using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Options;

namespace Condense.Service.Access;

/// <summary>How often a client may ask: per key, or per address where no keys are asked for. Every node counts for itself.</summary>
internal sealed class RateLimits(IOptions<AccessOptions> options, TimeProvider clock)
{
    private readonly TokenBuckets _reads = new(options.Value.ReadsPerMinute, clock);
    private readonly TokenBuckets _writes = new(options.Value.WritesPerMinute, clock);
    private readonly TokenBuckets _keylessReads = new(options.Value.KeylessPerMinute, clock);
    private readonly TokenBuckets _keylessWrites = new(options.Value.KeylessPerMinute, clock);

    /// <summary>Requests without a valid key, per address.</summary>
    public TokenBuckets Failures { get; } = new(options.Value.FailuresPerMinute, clock);

    /// <summary>Takes a token for a request and says so in the headers of its answer, whatever that will be.</summary>
    /// <returns>Null when it may pass; else how long the client shall wait.</returns>
    public TimeSpan? Take(HttpContext http, string? keyId)
    {
        bool reads = HttpMethods.IsGet(http.Request.Method) || HttpMethods.IsHead(http.Request.Method);
        var buckets = (keyId, reads) switch
        {
            (null, true) => _keylessReads,
            (null, false) => _keylessWrites,
            (_, true) => _reads,
            (_, false) => _writes,
        };
        var tokens = buckets.Take(keyId ?? ClientOf(http));
        string policy = reads ? "reads" : "writes";
        http.Response.OnStarting(
            static state =>
            {
                var (response, name, capacity, left) = ((HttpResponse, string, int, Tokens))state;
                response.Headers["RateLimit-Policy"] = string.Create(CultureInfo.InvariantCulture, $"\"{name}\";q={capacity};w={TokenBuckets.WindowSeconds}");
                response.Headers["RateLimit"] = string.Create(CultureInfo.InvariantCulture, $"\"{name}\";r={left.Remaining};t={Seconds(left.UntilFull)}");
                return Task.CompletedTask;
            },
            (http.Response, policy, buckets.Capacity, tokens));
        return tokens.Granted ? null : tokens.UntilNext;
    }

    /// <summary>Whole seconds, at least one.</summary>
    public static long Seconds(TimeSpan wait) => long.Max(1, (long)double.Ceiling(wait.TotalSeconds));

    /// <summary>A client's address. Who has one IPv6 address usually has 2⁶⁴ of them: the network counts.</summary>
    public static string ClientOf(HttpContext http)
    {
        var address = http.Connection.RemoteIpAddress;
        if (address is null)
        {
            return "local";
        }

        if (address.IsIPv4MappedToIPv6)
        {
            return address.MapToIPv4().ToString();
        }

        return address.AddressFamily == AddressFamily.InterNetworkV6 ? $"{new IPAddress([.. address.GetAddressBytes()[..8], .. new byte[8]])}/64" : address.ToString();
    }
}
