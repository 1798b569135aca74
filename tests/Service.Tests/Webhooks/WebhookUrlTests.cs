using System.Net;
using Condense.Service.Webhooks;
using Xunit;

namespace Condense.Service.Tests.Webhooks;

/// <summary>The table of tricks by which an address pretends to be public (A8).</summary>
public sealed class WebhookUrlTests
{
    private static readonly WebhookOptions s_default = new();

    /// <summary>As tolerant as it can be configured without naming a network: only the host can be what is wrong.</summary>
    private static readonly WebhookOptions s_tolerant = new() { AllowHttp = true, Ports = [80, 443, 22, 6379] };

    [Theory]
    [InlineData("https://ci.example.com/hooks")]
    [InlineData("HTTPS://CI.Example.COM:8443/hooks?token=a%20b&x=[1]")]
    [InlineData("https://93.184.216.34/")]
    [InlineData("https://[2606:2800:220:1:248:1893:25c8:1946]/")]
    [InlineData("https://xn--bcher-kva.example/")]
    [InlineData("https://a-b_c.example.com")]
    [InlineData("https://1and1.example.com/")]
    public void Public_addresses_are_taken(string url) => Assert.Null(WebhookUrl.WhyNot(url, s_default));

    [Theory]
    [InlineData("", "1 to 2048")]
    [InlineData("hooks", "no address")]
    [InlineData("/hooks", "no address")]
    [InlineData("//ci.example.com/", "no address")]
    [InlineData("https:ci.example.com/", "no address")]
    [InlineData("https:///ci.example.com/", "no address")]
    [InlineData("http://ci.example.com/", "scheme is https")]
    [InlineData("ftp://ci.example.com/", "scheme is https")]
    [InlineData("file:///etc/passwd", "no address")]
    [InlineData("gopher://ci.example.com:6379/_x", "scheme is https")]
    [InlineData("javascript://ci.example.com/%0aalert(1)", "scheme is https")]
    [InlineData("https://ci.example.com/#here", "fragment")]
    [InlineData("https://user@ci.example.com/", "user and password")]
    [InlineData("https://user:password@ci.example.com/", "user and password")]
    [InlineData("https://ci.example.com@127.0.0.1/", "user and password")]
    [InlineData("https://ci.example.com:22/", "port")]
    [InlineData("https://ci.example.com:99999/", "port")]
    [InlineData("https://ci.example.com:0/", "port")]
    [InlineData("https://ci.example.com:/", "port")]
    [InlineData("https://ci.example.com:443:22/", "port")]
    [InlineData("https://ci.example.com\\@127.0.0.1/", "backslashes")]
    [InlineData("https:\\\\ci.example.com/", "backslashes")]
    [InlineData("https://ci.example.com/a b", "spaces")]
    [InlineData(" https://ci.example.com/", "spaces")]
    [InlineData("https://ci.example.com/\r\nX-Evil: 1", "control characters")]
    [InlineData("https://ci.exa\tmple.com/", "control characters")]
    [InlineData("https://bücher.example/", "xn--")]
    public void What_is_not_an_address_for_webhooks_is_refused(string url, string reason) => Refused(url, s_default, reason);

    [Theory]
    // As it stands.
    [InlineData("http://127.0.0.1/", "loopback")]
    [InlineData("http://127.8.9.10/", "loopback")]
    [InlineData("http://0.0.0.0/", "this network")]
    [InlineData("http://0.1.2.3/", "this network")]
    [InlineData("http://10.0.0.1/", "private")]
    [InlineData("http://172.16.0.1/", "private")]
    [InlineData("http://172.31.255.255/", "private")]
    [InlineData("http://192.168.1.1/", "private")]
    [InlineData("http://169.254.169.254/latest/meta-data/", "link-local")]
    [InlineData("http://100.64.0.1/", "inner network")]
    [InlineData("http://100.100.100.200/latest/meta-data/", "inner network")]
    [InlineData("http://168.63.129.16/", "inner services")]
    [InlineData("http://192.0.0.192/", "reserved")]
    [InlineData("http://192.0.2.1/", "documentation")]
    [InlineData("http://198.51.100.1/", "documentation")]
    [InlineData("http://203.0.113.1/", "documentation")]
    [InlineData("http://198.18.0.1/", "benchmarks")]
    [InlineData("http://198.19.255.255/", "benchmarks")]
    [InlineData("http://192.88.99.1/", "6to4")]
    [InlineData("http://224.0.0.1/", "multicast")]
    [InlineData("http://239.255.255.255/", "multicast")]
    [InlineData("http://240.0.0.1/", "reserved")]
    [InlineData("http://255.255.255.255/", "broadcast")]

    // Other ways to write the same numbers.
    [InlineData("http://2130706433/", "four decimal numbers")]
    [InlineData("http://0x7f000001/", "four decimal numbers")]
    [InlineData("http://0x7f.1/", "four decimal numbers")]
    [InlineData("http://0x7F.0x0.0x0.0x1/", "four decimal numbers")]
    [InlineData("http://017700000001/", "four decimal numbers")]
    [InlineData("http://0177.0.0.1/", "four decimal numbers")]
    [InlineData("http://127.1/", "four decimal numbers")]
    [InlineData("http://127.0.1/", "four decimal numbers")]
    [InlineData("http://0/", "four decimal numbers")]
    [InlineData("http://127.0.0.01/", "four decimal numbers")]
    [InlineData("http://127.0.0.1.1/", "four decimal numbers")]
    [InlineData("http://256.256.256.256/", "four decimal numbers")]
    [InlineData("http://134744072/", "four decimal numbers")]
    [InlineData("http://example.0x7f/", "four decimal numbers")]
    [InlineData("http://127.0.0.1./", "no dot at the end")]
    [InlineData("http://2130706433./", "no dot at the end")]
    [InlineData("http://127%2e0.0.1/", "host is a name")]
    [InlineData("http://%31%32%37.0.0.1/", "host is a name")]
    [InlineData("http://127。0。0。1/", "ASCII")]
    [InlineData("http://①②⑦.⓪.⓪.①/", "ASCII")]
    [InlineData("http://１２７.０.０.１/", "ASCII")]
    [InlineData("http://ⓛocalhost/", "ASCII")]
    [InlineData("http://localhoſt/", "ASCII")]
    [InlineData("http://٠.٠.٠.٠/", "ASCII")]

    // IPv6, and IPv4 inside it.
    [InlineData("http://[::]/", "no address")]
    [InlineData("http://[::1]/", "loopback")]
    [InlineData("http://[0:0:0:0:0:0:0:1]/", "loopback")]
    [InlineData("http://[0000::0001]/", "loopback")]
    [InlineData("http://[fe80::1]/", "link-local")]
    [InlineData("http://[fe80::1%25eth0]/", "host is a name")]
    [InlineData("http://[febf::1]/", "link-local")]
    [InlineData("http://[fec0::1]/", "private")]
    [InlineData("http://[fc00::1]/", "private")]
    [InlineData("http://[fd00:ec2::254]/latest/meta-data/", "private")]
    [InlineData("http://[ff02::1]/", "multicast")]
    [InlineData("http://[::ffff:127.0.0.1]/", "disguise")]
    [InlineData("http://[::ffff:10.0.0.1]/", "disguise")]
    [InlineData("http://[::FFFF:7F00:1]/", "disguise")]
    [InlineData("http://[0:0:0:0:0:ffff:7f00:1]/", "disguise")]
    [InlineData("http://[::ffff:93.184.216.34]/", "disguise")]
    [InlineData("http://[::127.0.0.1]/", "disguise")]
    [InlineData("http://[::ffff:0:127.0.0.1]/", "reserved")]
    [InlineData("http://[64:ff9b::7f00:1]/", "NAT64")]
    [InlineData("http://[64:ff9b::10.0.0.1]/", "NAT64")]
    [InlineData("http://[64:ff9b:1::10.0.0.1]/", "NAT64")]
    [InlineData("http://[2002:7f00:1::1]/", "6to4")]
    [InlineData("http://[2002:a00:1::]/", "6to4")]
    [InlineData("http://[2001:0:53aa:64c:0:5efe:f5ff:fffe]/", "Teredo")]
    [InlineData("http://[2001:db8::1]/", "documentation")]
    [InlineData("http://[3fff:1::1]/", "documentation")]
    [InlineData("http://[2001:2::1]/", "reserved")]
    [InlineData("http://[2001:10::1]/", "reserved")]
    [InlineData("http://[100::1]/", "discarded")]
    [InlineData("http://[5f00::1]/", "reserved")]
    [InlineData("http://[4000::1]/", "reserved")]
    [InlineData("http://[::1/", "host is a name")]
    [InlineData("http://[127.0.0.1]/", "no address")]
    [InlineData("http://[1:2]/", "no address")]

    // Names that mean something only inside.
    [InlineData("http://localhost/", "inside a network")]
    [InlineData("http://LocalHost/", "inside a network")]
    [InlineData("http://localhost./", "no dot at the end")]
    [InlineData("http://anything.localhost/", "inside a network")]
    [InlineData("http://metadata.google.internal/", "inside a network")]
    [InlineData("http://printer.local/", "inside a network")]
    [InlineData("http://router.home.arpa/", "inside a network")]
    [InlineData("http://postgres/", "inside a network")]
    [InlineData("http://-x.example.com/", "not the name of a host")]
    [InlineData("http://a..example.com/", "no address")]
    [InlineData("http://.example.com/", "no address")]
    public void Disguises_of_inner_addresses_are_refused(string url, string reason) => Refused(url, s_tolerant, reason);

    [Fact]
    public void Networks_that_are_configured_are_reached_and_no_others()
    {
        var options = s_tolerant with { AllowedNetworks = ["10.20.0.0/16", "fd00:1::/32"] };
        Assert.Null(WebhookUrl.WhyNot("http://10.20.30.40/", options));
        Assert.Null(WebhookUrl.WhyNot("http://[fd00:1::7]/", options));
        Assert.Null(WebhookUrl.WhyNot("http://receiver/", options));
        Refused("http://10.21.0.1/", options, "private");
        Refused("http://127.0.0.1/", options, "loopback");
        Refused("http://[::ffff:10.20.30.40]/", options, "disguise");
    }

    [Fact]
    public void An_address_that_is_too_long_is_refused() => Refused($"https://ci.example.com/{new string('x', WebhookUrl.MaxLength)}", s_default, "1 to 2048");

    [Theory]
    [InlineData("1.1.1.1")]
    [InlineData("100.63.255.255")]
    [InlineData("100.128.0.0")]
    [InlineData("172.15.255.255")]
    [InlineData("172.32.0.0")]
    [InlineData("223.255.255.255")]
    [InlineData("2001:200::1")]
    [InlineData("2606:4700:4700::1111")]
    [InlineData("3ffe::1")]
    public void The_rules_end_where_they_should(string address) => Assert.Null(AddressRules.WhyNotPublic(IPAddress.Parse(address)));

    private static void Refused(string url, WebhookOptions options, string reason) =>
        Assert.Contains(reason, WebhookUrl.WhyNot(url, options) ?? "It is taken.", StringComparison.Ordinal);
}
