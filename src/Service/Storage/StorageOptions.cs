using System.ComponentModel.DataAnnotations;

namespace Condense.Service.Storage;

/// <summary>Where the service keeps everything.</summary>
internal sealed record StorageOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Storage";

    /// <summary>The database: <c>sqlite</c>, a file in the folder, or <c>postgres</c>. Default: sqlite.</summary>
    public DatabaseProvider Provider { get; init; }

    /// <summary>How to reach PostgreSQL, for example <c>Host=db;Username=condense;Password=…;Database=condense</c>.</summary>
    public string ConnectionString { get; init; } = "";

    /// <summary>
    /// Whether a start brings the tables up to date. Without it, a start only checks, and <c>Condense.Service migrate</c> does it: a process that
    /// answers requests then needs no right to change tables. Default: true.
    /// </summary>
    public bool Migrate { get; init; } = true;

    /// <summary>The data folder; made at start. On PostgreSQL each process takes a folder <c>node-N</c> in it, and nothing there is worth keeping. Default: <c>data</c> in the working folder.</summary>
    [Required]
    public string Folder { get; init; } = "data";

    /// <summary>On PostgreSQL: the most bytes of models that are kept as files on this machine. Default: 20 GiB.</summary>
    [Range(0, long.MaxValue)]
    public long CacheBytes { get; init; } = 20L << 30;

    /// <summary>How long a start waits for PostgreSQL: containers start together. Default: 60 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan StartPatience { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a worker waits for PostgreSQL when it is away, before its attempt fails. Requests do not wait. Default: 2 min.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan Patience { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>How often what has expired is removed. Default: 10 min.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan SweepInterval { get; init; } = TimeSpan.FromMinutes(10);
}
