namespace Condense.Service.Storage;

/// <summary>The databases that the service runs on.</summary>
internal enum DatabaseProvider
{
    /// <summary>A file in the data folder: one process, no server.</summary>
    Sqlite,

    /// <summary>A PostgreSQL server: any number of processes.</summary>
    Postgres,
}
