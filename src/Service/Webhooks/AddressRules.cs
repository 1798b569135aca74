using System.Net;
using System.Net.Sockets;

namespace Condense.Service.Webhooks;

/// <summary>
/// Which addresses are public. Of IPv6 only what has been given out for the public (<c>2000::/3</c>) can be; of both everything that the
/// registries of special addresses name is not, and no address that carries another one inside: the inner one could be anything.
/// </summary>
internal static class AddressRules
{
    private static readonly (IPNetwork Network, string Name)[] s_special =
    [
        (IPNetwork.Parse("0.0.0.0/8"), "this network"),
        (IPNetwork.Parse("10.0.0.0/8"), "a private network"),
        (IPNetwork.Parse("100.64.0.0/10"), "a provider's inner network"),
        (IPNetwork.Parse("127.0.0.0/8"), "loopback"),
        (IPNetwork.Parse("168.63.129.16/32"), "a cloud's inner services"),
        (IPNetwork.Parse("169.254.0.0/16"), "link-local"),
        (IPNetwork.Parse("172.16.0.0/12"), "a private network"),
        (IPNetwork.Parse("192.0.0.0/24"), "reserved for protocols"),
        (IPNetwork.Parse("192.0.2.0/24"), "documentation"),
        (IPNetwork.Parse("192.88.99.0/24"), "a 6to4 relay"),
        (IPNetwork.Parse("192.168.0.0/16"), "a private network"),
        (IPNetwork.Parse("198.18.0.0/15"), "benchmarks"),
        (IPNetwork.Parse("198.51.100.0/24"), "documentation"),
        (IPNetwork.Parse("203.0.113.0/24"), "documentation"),
        (IPNetwork.Parse("224.0.0.0/4"), "multicast"),
        (IPNetwork.Parse("255.255.255.255/32"), "broadcast"),
        (IPNetwork.Parse("240.0.0.0/4"), "reserved"),
        (IPNetwork.Parse("::/128"), "no address"),
        (IPNetwork.Parse("::1/128"), "loopback"),
        (IPNetwork.Parse("::ffff:0:0/96"), "an IPv4 address in disguise"),
        (IPNetwork.Parse("::/96"), "an IPv4 address in disguise"),
        (IPNetwork.Parse("64:ff9b::/96"), "an IPv4 address behind NAT64"),
        (IPNetwork.Parse("64:ff9b:1::/48"), "an IPv4 address behind NAT64"),
        (IPNetwork.Parse("100::/64"), "discarded"),
        (IPNetwork.Parse("2001::/32"), "an IPv4 address behind Teredo"),
        (IPNetwork.Parse("2001::/23"), "reserved for protocols"),
        (IPNetwork.Parse("2001:db8::/32"), "documentation"),
        (IPNetwork.Parse("2002::/16"), "an IPv4 address behind 6to4"),
        (IPNetwork.Parse("3fff::/20"), "documentation"),
        (IPNetwork.Parse("fc00::/7"), "a private network"),
        (IPNetwork.Parse("fe80::/10"), "link-local"),
        (IPNetwork.Parse("fec0::/10"), "a private network"),
        (IPNetwork.Parse("ff00::/8"), "multicast"),
    ];

    private static readonly IPNetwork s_givenOut = IPNetwork.Parse("2000::/3");

    /// <summary>Why an address is not public; null when it is.</summary>
    public static string? WhyNotPublic(IPAddress address)
    {
        foreach (var (network, name) in s_special)
        {
            if (network.BaseAddress.AddressFamily == address.AddressFamily && network.Contains(address))
            {
                return name;
            }
        }

        return address.AddressFamily == AddressFamily.InterNetwork || s_givenOut.Contains(address) ? null : "reserved";
    }
}
