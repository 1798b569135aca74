using System.ComponentModel.DataAnnotations;

namespace Condense.Service.Hosting;

/// <summary>How much the service takes from a client.</summary>
internal sealed record LimitsOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Limits";

    /// <summary>Bytes of an uploaded model. Default 8 GiB.</summary>
    [Range(1, long.MaxValue)]
    public long ModelBytes { get; init; } = 8L << 30;

    /// <summary>Files of a model of several files. Default 1000.</summary>
    [Range(1, 100_000)]
    public int ModelParts { get; init; } = 1000;

    /// <summary>Bytes of an uploaded dataset. Default 64 MiB.</summary>
    [Range(1, 1L << 30)]
    public long DatasetBytes { get; init; } = 64L << 20;

    /// <summary>Bytes of a job's document. Default 1 MiB.</summary>
    [Range(1, 1L << 30)]
    public long JobBytes { get; init; } = 1L << 20;

    /// <summary>
    /// How long a request holds its idempotency key without a sign of life: as long as a crash can keep the key from being used again. Default 30 s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan IdempotencyLease { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The longest wait that <c>Prefer: wait=…</c> is granted. Default 60 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:10:00")]
    public TimeSpan LongestWait { get; init; } = TimeSpan.FromSeconds(60);
}
