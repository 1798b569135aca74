using System.Net;
using System.Net.Sockets;

namespace Condense.Service.Webhooks;

/// <summary>
/// Which addresses are public. Of IPv6 only what has been given out for the public (<c>2000::/3</c>) can be; of both everything that the
/// registries of special addresses name is not, and no address that carries another one inside: the inner one could be anything.
/// </summary>
internal static class AddressRules
{
    private static readonly (AddressRange Range, string Name)[] s_special =
    [
        (AddressRange.Parse("0.0.0.0/8"), "this network"),
        (AddressRange.Parse("10.0.0.0/8"), "a private network"),
        (AddressRange.Parse("100.64.0.0/10"), "a provider's inner network"),
        (AddressRange.Parse("127.0.0.0/8"), "loopback"),
        (AddressRange.Parse("168.63.129.16/32"), "a cloud's inner services"),
        (AddressRange.Parse("169.254.0.0/16"), "link-local"),
        (AddressRange.Parse("172.16.0.0/12"), "a private network"),
        (AddressRange.Parse("192.0.0.0/24"), "reserved for protocols"),
        (AddressRange.Parse("192.0.2.0/24"), "documentation"),
        (AddressRange.Parse("192.88.99.0/24"), "a 6to4 relay"),
        (AddressRange.Parse("192.168.0.0/16"), "a private network"),
        (AddressRange.Parse("198.18.0.0/15"), "benchmarks"),
        (AddressRange.Parse("198.51.100.0/24"), "documentation"),
        (AddressRange.Parse("203.0.113.0/24"), "documentation"),
        (AddressRange.Parse("224.0.0.0/4"), "multicast"),
        (AddressRange.Parse("255.255.255.255/32"), "broadcast"),
        (AddressRange.Parse("240.0.0.0/4"), "reserved"),
        (AddressRange.Parse("::/128"), "no address"),
        (AddressRange.Parse("::1/128"), "loopback"),
        (AddressRange.Parse("::ffff:0:0/96"), "an IPv4 address in disguise"),
        (AddressRange.Parse("::/96"), "an IPv4 address in disguise"),
        (AddressRange.Parse("64:ff9b::/96"), "an IPv4 address behind NAT64"),
        (AddressRange.Parse("64:ff9b:1::/48"), "an IPv4 address behind NAT64"),
        (AddressRange.Parse("100::/64"), "discarded"),
        (AddressRange.Parse("2001::/32"), "an IPv4 address behind Teredo"),
        (AddressRange.Parse("2001::/23"), "reserved for protocols"),
        (AddressRange.Parse("2001:db8::/32"), "documentation"),
        (AddressRange.Parse("2002::/16"), "an IPv4 address behind 6to4"),
        (AddressRange.Parse("3fff::/20"), "documentation"),
        (AddressRange.Parse("fc00::/7"), "a private network"),
        (AddressRange.Parse("fe80::/10"), "link-local"),
        (AddressRange.Parse("fec0::/10"), "a private network"),
        (AddressRange.Parse("ff00::/8"), "multicast"),
    ];

    private static readonly AddressRange s_givenOut = AddressRange.Parse("2000::/3");

    /// <summary>Why an address is not public; null when it is.</summary>
    public static string? WhyNotPublic(IPAddress address)
    {
        foreach (var (range, name) in s_special)
        {
            if (range.Contains(address))
            {
                return name;
            }
        }

        return address.AddressFamily == AddressFamily.InterNetwork || s_givenOut.Contains(address) ? null : "reserved";
    }
}
