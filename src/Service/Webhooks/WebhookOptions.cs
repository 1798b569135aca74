using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Net;

namespace Condense.Service.Webhooks;

/// <summary>Where webhooks may go, and how they are sent.</summary>
internal sealed record WebhookOptions : IValidatableObject
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Webhooks";

    private static readonly int[] s_securePorts = [443, 8443];
    private static readonly int[] s_plainPorts = [80, 8080];

    /// <summary>Whether this process sends what is due. Default: unless its role is <c>api</c>.</summary>
    public bool? Send { get; init; }

    /// <summary>Whether receivers may be reached without TLS. Default: false.</summary>
    public bool AllowHttp { get; init; }

    /// <summary>The ports of receivers. Default: 443 and 8443; with <see cref="AllowHttp"/> also 80 and 8080.</summary>
    public IReadOnlyList<int>? Ports { get; init; }

    /// <summary>Networks in CIDR notation whose receivers are reached although their addresses are not public. Default: none.</summary>
    public IReadOnlyList<string> AllowedNetworks { get; init; } = [];

    /// <summary>How long an attempt may take, name look-up, TLS and answer included. Default: 15 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:05:00")]
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Attempts of this process at once. Default: 64.</summary>
    [Range(1, 1000)]
    public int Parallelism { get; init; } = 64;

    /// <summary>Attempts of this process at once at the same receiver; the others wait without standing in anyone's way. Default: 8.</summary>
    [Range(1, 1000)]
    public int ParallelismPerReceiver { get; init; } = 8;

    /// <summary>The longest wait before this process looks for deliveries that another one has written, or that have become due. Default: 1 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.05", "00:01:00")]
    public TimeSpan Poll { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long finished deliveries can be looked at and replayed. Default: 30 days.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "3650.00:00:00")]
    public TimeSpan Keep { get; init; } = TimeSpan.FromDays(30);

    /// <summary>The ports in force.</summary>
    public IReadOnlyList<int> AllowedPorts => Ports is { Count: > 0 } ? Ports : AllowHttp ? [.. s_securePorts, .. s_plainPorts] : s_securePorts;

    /// <summary>Whether an address lies in one of <see cref="AllowedNetworks"/>.</summary>
    public bool IsAllowed(IPAddress address) => AllowedNetworks.Any(network => AddressRange.Parse(network).Contains(address));

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (string network in AllowedNetworks.Where(network => AddressRange.TryParse(network) is null))
        {
            yield return new ValidationResult(
                $"Webhooks:AllowedNetworks: \"{network}\" is not a network. Write its first address and the length of the prefix, for example 10.20.0.0/16.");
        }

        foreach (int port in (Ports ?? []).Where(port => port is < 1 or > 65535))
        {
            yield return new ValidationResult($"Webhooks:Ports: {port.ToString(CultureInfo.InvariantCulture)} is not a port; it lies between 1 and 65535.");
        }
    }
}
