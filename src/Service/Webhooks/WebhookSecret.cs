using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Condense.Service.Webhooks;

/// <summary>Secrets and signatures as Standard Webhooks 1.0 has them.</summary>
internal static class WebhookSecret
{
    /// <summary>How long a secret signs beside the one that has replaced it.</summary>
    public static readonly TimeSpan Overlap = TimeSpan.FromHours(24);

    private const string Prefix = "whsec_";
    private const int Bytes = 32;

    /// <summary>A new secret: 256 random bits.</summary>
    public static string Make() => Prefix + Convert.ToBase64String(RandomNumberGenerator.GetBytes(Bytes));

    /// <summary>The header <c>webhook-signature</c>: one signature per secret, separated by spaces.</summary>
    /// <param name="secrets">The secrets, the newest first.</param>
    /// <param name="id">The message's id.</param>
    /// <param name="at">When it is sent.</param>
    /// <param name="body">The body.</param>
    public static string Sign(IEnumerable<string> secrets, string id, DateTimeOffset at, string body)
    {
        byte[] content = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{id}.{at.ToUnixTimeSeconds()}.{body}"));
        return string.Join(' ', secrets.Select(secret => $"v1,{Convert.ToBase64String(HMACSHA256.HashData(Convert.FromBase64String(secret[Prefix.Length..]), content))}"));
    }
}
