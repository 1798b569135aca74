using System.ComponentModel.DataAnnotations;

namespace Condense.Service.Uploads;

/// <summary>How patient the service is with whoever sends files.</summary>
internal sealed record UploadOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Uploads";

    /// <summary>The slowest that a body may arrive, in bytes per second on average; 0 for no such bound. Default: 1024.</summary>
    [Range(0, 1 << 30)]
    public int MinBytesPerSecond { get; init; } = 1024;

    /// <summary>How long a body may stay below that. Default: 10 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01.5", "01:00:00")]
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a resumable upload is kept after the last bytes that came. Default: 24 h.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "365.00:00:00")]
    public TimeSpan Expiry { get; init; } = TimeSpan.FromHours(24);

    /// <summary>How long after its creation, or the last new file that came, a model of several files may go uncommitted. Default: 3 days.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "365.00:00:00")]
    public TimeSpan CommitWithin { get; init; } = TimeSpan.FromDays(3);

    /// <summary>How often what has expired is removed. Default: 1 min.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "1.00:00:00")]
    public TimeSpan SweepEvery { get; init; } = TimeSpan.FromMinutes(1);
}
