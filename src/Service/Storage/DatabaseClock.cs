namespace Condense.Service.Storage;

/// <summary>
/// The database's own clock, read inside the statement that needs it: nodes with wrong clocks agree on what it says. Only for queries.
/// </summary>
internal static class DatabaseClock
{
    /// <summary>On PostgreSQL; not <c>now()</c>, which stands still within a transaction.</summary>
    public const string Postgres = "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)";

    /// <summary>On SQLite.</summary>
    public const string Sqlite = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";

    /// <summary>Milliseconds since 1970.</summary>
    public static long Milliseconds() => throw new NotSupportedException("The database answers this; it can only stand in a query.");
}
