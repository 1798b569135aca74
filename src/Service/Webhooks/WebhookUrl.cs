using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace Condense.Service.Webhooks;

/// <summary>
/// What can be judged of a webhook's address without asking anyone. It looks at the text itself: a parser that understands
/// <c>http://0x7f.1</c> or <c>https://ⓛocalhost</c> has hidden by then what stood there.
/// </summary>
internal static partial class WebhookUrl
{
    /// <summary>The most characters.</summary>
    public const int MaxLength = 2048;

    private const int MaxName = 253;

    private static readonly string[] s_innerNames = ["localhost", "local", "internal", "localdomain", "lan", "home.arpa", "corp", "intranet"];

    /// <summary>Why webhooks are not sent to an address; null when nothing speaks against it so far.</summary>
    /// <param name="text">The address as it was given.</param>
    /// <param name="options">What is configured.</param>
    public static string? WhyNot(string text, WebhookOptions options)
    {
        if (text.Length is 0 or > MaxLength)
        {
            return $"An address has 1 to {MaxLength} characters.";
        }

        if (text.Any(character => character is < '!' or > '~' or '\\'))
        {
            return "An address has neither spaces, backslashes, control characters nor letters beyond ASCII. Write an international name in its ASCII form (xn--…).";
        }

        var parts = Parts().Match(text);
        if (!parts.Success)
        {
            return "This is no address. One looks like https://ci.example.com/hooks/condense.";
        }

        string scheme = parts.Groups["scheme"].Value.ToLowerInvariant();
        if (scheme is not "https" && !(scheme is "http" && options.AllowHttp))
        {
            return options.AllowHttp ? "The scheme is https or http." : "The scheme is https.";
        }

        if (text.Contains('#', StringComparison.Ordinal))
        {
            return "An address has no fragment (#…).";
        }

        string authority = parts.Groups["authority"].Value;
        if (authority.Contains('@', StringComparison.Ordinal))
        {
            return "An address has no user and password: the signature says who sends.";
        }

        var place = Place().Match(authority);
        if (!place.Success)
        {
            return "The host is a name, an IPv4 address of four decimal numbers, or an IPv6 address in brackets; a port is a number after a colon.";
        }

        return WhyNotPort(place.Groups["port"].Value, scheme, options) ?? WhyNotHost(place.Groups["host"].Value, text, options);
    }

    /// <summary>Why webhooks are not sent to an IP address; null when they are.</summary>
    public static string? WhyNot(IPAddress address, WebhookOptions options) =>
        !options.IsAllowed(address) && AddressRules.WhyNotPublic(address) is { } name ? $"{address} is not a public address ({name})." : null;

    private static string? WhyNotPort(string text, string scheme, WebhookOptions options)
    {
        int port = scheme is "https" ? 443 : 80;
        if (text.Length > 0 && !int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port))
        {
            port = 0;
        }

        return options.AllowedPorts.Contains(port)
            ? null
            : $"The port is not one of {string.Join(", ", options.AllowedPorts.Select(allowed => allowed.ToString(CultureInfo.InvariantCulture)))}.";
    }

    private static string? WhyNotHost(string host, string text, WebhookOptions options)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri))
        {
            return "This is no address. One looks like https://ci.example.com/hooks/condense.";
        }

        if (host[0] == '[')
        {
            return IPAddress.TryParse(host[1..^1], out var six) && six.AddressFamily == AddressFamily.InterNetworkV6 && IPAddress.TryParse(uri.Host, out var same) && same.Equals(six)
                ? WhyNot(six, options)
                : $"{host} is not an IPv6 address.";
        }

        string[] labels = host.Split('.');
        if (Number().IsMatch(labels[^1]))
        {
            return IPAddress.TryParse(host, out var four) && string.Equals(four.ToString(), host, StringComparison.Ordinal)
                ? WhyNot(four, options)
                : "An IPv4 address is written as four decimal numbers, for example 93.184.216.34.";
        }

        if (host.Length > MaxName || !Array.TrueForAll(labels, label => Label().IsMatch(label)) || !string.Equals(uri.Host, host, StringComparison.OrdinalIgnoreCase))
        {
            return "This is not the name of a host: labels of letters, digits and hyphens with dots between, and no dot at the end.";
        }

        // Where receivers inside are configured, their addresses decide.
        bool isInner = labels.Length == 1 || Array.Exists(s_innerNames, inner => host.EndsWith($".{inner}", StringComparison.OrdinalIgnoreCase));
        return isInner && options.AllowedNetworks.Count == 0 ? $"{host} is a name inside a network, not a public one." : null;
    }

    [GeneratedRegex("^(?<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?<authority>[^/?#]+)", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Parts();

    [GeneratedRegex(@"^(?<host>[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(:(?<port>[0-9]{1,5}))?$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Place();

    [GeneratedRegex("^(0[xX][0-9A-Fa-f]*|[0-9]+)$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Number();

    [GeneratedRegex("^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Label();
}
