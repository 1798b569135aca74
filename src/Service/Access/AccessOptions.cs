using System.ComponentModel.DataAnnotations;
using System.Net;

namespace Condense.Service.Access;

/// <summary>When keys are asked for.</summary>
internal enum KeyMode
{
    /// <summary>As soon as one exists; always where other machines can reach the service.</summary>
    Auto,

    /// <summary>Always.</summary>
    Required,

    /// <summary>Never; only on loopback.</summary>
    Off,
}

/// <summary>Who may use the service, and how often.</summary>
internal sealed record AccessOptions : IValidatableObject
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Access";

    /// <summary>When keys are asked for: <c>auto</c>, <c>required</c> or <c>off</c>. Default: auto.</summary>
    [EnumDataType(typeof(KeyMode))]
    public KeyMode Keys { get; init; }

    /// <summary>The first admin key of the tenant <c>default</c>, taken at start if that tenant never had an admin key. For containers.</summary>
    public string? BootstrapKey { get; init; }

    /// <summary>A file that holds the same: a mounted secret.</summary>
    public string? BootstrapKeyFile { get; init; }

    /// <summary>GET and HEAD per minute and key. Default: 12,000.</summary>
    [Range(1, 100_000_000)]
    public int ReadsPerMinute { get; init; } = 12_000;

    /// <summary>All other requests per minute and key. Default: 3,000.</summary>
    [Range(1, 100_000_000)]
    public int WritesPerMinute { get; init; } = 3_000;

    /// <summary>Reads, and as many writes, per minute and address where no keys are asked for. Default: 600,000.</summary>
    [Range(1, 100_000_000)]
    public int KeylessPerMinute { get; init; } = 600_000;

    /// <summary>Requests without a valid key per minute and address; what comes on top is told to wait. Default: 60.</summary>
    [Range(1, 100_000_000)]
    public int FailuresPerMinute { get; init; } = 60;

    /// <summary>Streams of events and waits (<c>Prefer: wait</c>) that a key, or an address without keys, may have open on a node at once. Default: 500.</summary>
    [Range(1, 1_000_000)]
    public int OpenWaits { get; init; } = 500;

    /// <summary>
    /// Networks in CIDR notation whose proxies are believed: the address of a request is then what they write into <c>X-Forwarded-For</c>, and its
    /// scheme what they write into <c>X-Forwarded-Proto</c>. Default: none, and nobody is believed.
    /// </summary>
    public IReadOnlyList<string> TrustedProxies { get; init; } = [];

    /// <summary>How often a caller may ask.</summary>
    public RequestRates RatesFor(Caller caller) =>
        caller.KeyId is null ? new RequestRates(KeylessPerMinute, KeylessPerMinute) : new RequestRates(ReadsPerMinute, WritesPerMinute);

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (string network in TrustedProxies.Where(network => !IPNetwork.TryParse(network, out _)))
        {
            yield return new ValidationResult(
                $"Access:TrustedProxies: \"{network}\" is not a network. Write its first address and the length of the prefix, for example 10.20.0.0/16, or 10.20.0.7/32 for one proxy.");
        }
    }
}

/// <summary>How often a client may ask, each node for itself.</summary>
/// <param name="ReadsPerMinute">GET and HEAD.</param>
/// <param name="WritesPerMinute">All other requests.</param>
internal sealed record RequestRates(int ReadsPerMinute, int WritesPerMinute);
