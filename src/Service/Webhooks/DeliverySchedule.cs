using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Condense.Service.Webhooks;

/// <summary>When a delivery is tried again.</summary>
internal static class DeliverySchedule
{
    /// <summary>After so many days of nothing but failures an endpoint is disabled.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromDays(5);

    /// <summary>The longest wait that a receiver can ask for.</summary>
    public static readonly TimeSpan MaxRetryAfter = TimeSpan.FromHours(24);

    /// <summary>The most that jitter adds, as a part of the wait.</summary>
    public const double Jitter = 0.1;

    /// <summary>The waits before each attempt.</summary>
    private static readonly TimeSpan[] s_waits =
    [
        TimeSpan.Zero, TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(30), TimeSpan.FromHours(2), TimeSpan.FromHours(5),
        TimeSpan.FromHours(10), TimeSpan.FromHours(14), TimeSpan.FromHours(20), TimeSpan.FromHours(24),
    ];

    /// <summary>Attempts of a delivery.</summary>
    public static int Attempts => s_waits.Length;

    /// <summary>The wait after a failed attempt; null when it was the last.</summary>
    /// <param name="id">The delivery, which decides the jitter: the same one always waits the same, and many that failed together come back apart.</param>
    /// <param name="attempts">Attempts so far.</param>
    /// <param name="retryAfter">What the receiver asked for; a shorter wait than ours is not granted.</param>
    public static TimeSpan? After(string id, int attempts, TimeSpan? retryAfter)
    {
        if (attempts >= Attempts)
        {
            return null;
        }

        var wait = s_waits[attempts];
        var asked = retryAfter is { } after && after > wait ? after : wait;
        asked = asked > MaxRetryAfter ? MaxRetryAfter : asked;
        return asked * (1 + (Jitter * Share(id, attempts)));
    }

    /// <summary>A number in [0, 1) that looks random.</summary>
    private static double Share(string id, int attempts)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes($"{id}.{attempts}"), hash);
        return BinaryPrimitives.ReadUInt32LittleEndian(hash) / (uint.MaxValue + 1.0);
    }
}
