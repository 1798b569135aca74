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

    /// <summary>The data folder; made at start. On PostgreSQL nothing in it is worth keeping. Default: <c>data</c> in the working folder.</summary>
    [Required]
    public string Folder { get; init; } = "data";
}
