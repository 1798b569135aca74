using System.Globalization;
using System.Net;

namespace Condense.Service.Webhooks;

/// <summary>
/// Addresses that begin with the same bits, in CIDR notation. An IPv4 address inside an IPv6 one stays an IPv6 address here: the framework's
/// own type takes one for the other, which is what those who write such addresses hope for.
/// </summary>
internal readonly struct AddressRange
{
    private const int BitsPerByte = 8;

    private readonly byte[] _first;
    private readonly int _bits;

    private AddressRange(byte[] first, int bits)
    {
        _first = first;
        _bits = bits;
    }

    /// <summary>Reads <c>10.0.0.0/8</c>.</summary>
    /// <exception cref="FormatException">It is no such text.</exception>
    public static AddressRange Parse(string text) =>
        TryParse(text) ?? throw new FormatException($"\"{text}\" is not a network. Write its first address and the length of the prefix, for example 10.20.0.0/16.");

    /// <summary>Reads <c>10.0.0.0/8</c>; null when it is no such text.</summary>
    public static AddressRange? TryParse(string text)
    {
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        return slash > 0
            && IPAddress.TryParse(text[..slash], out var first)
            && int.TryParse(text[(slash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out int bits)
            && bits <= first.GetAddressBytes().Length * BitsPerByte
                ? new AddressRange(first.GetAddressBytes(), bits)
                : null;
    }

    /// <summary>Whether an address lies within.</summary>
    public bool Contains(IPAddress address)
    {
        byte[] bytes = address.GetAddressBytes();
        if (bytes.Length != _first.Length)
        {
            return false;
        }

        int whole = _bits / BitsPerByte;
        if (!bytes.AsSpan(0, whole).SequenceEqual(_first.AsSpan(0, whole)))
        {
            return false;
        }

        int rest = _bits % BitsPerByte;
        return rest == 0 || (bytes[whole] ^ _first[whole]) >> (BitsPerByte - rest) == 0;
    }
}
