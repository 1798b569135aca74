using System.Data;
using System.Data.Common;
using Microsoft.Data.Sqlite;

namespace Condense.Service.Storage;

/// <summary>
/// Connections to the SQLite file, for the rows and for the job store alike. <c>busy_timeout</c> lets SQLite itself wait for the
/// writer, in steps of milliseconds; Microsoft.Data.Sqlite alone sleeps 150 ms between attempts. <c>synchronous = FULL</c>
/// makes a commit durable before it is answered.
/// </summary>
internal sealed class SqliteDataSource(string connectionString) : DbDataSource
{
    private const string OnOpen = "PRAGMA busy_timeout = 5000; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;";

    /// <inheritdoc/>
    public override string ConnectionString => connectionString;

    /// <summary>Makes readers and the writer independent of each other. Kept in the file: needed once.</summary>
    public async Task EnableWriteAheadLogAsync(CancellationToken cancellationToken)
    {
        await using var connection = await OpenConnectionAsync(cancellationToken);
        await using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA journal_mode = WAL";
        await command.ExecuteScalarAsync(cancellationToken);
    }

    /// <inheritdoc/>
    protected override DbConnection CreateDbConnection()
    {
        var connection = new SqliteConnection(connectionString);
        connection.StateChange += Configure;
        return connection;
    }

    private static void Configure(object sender, StateChangeEventArgs e)
    {
        if (e.CurrentState == ConnectionState.Open)
        {
            using var command = ((SqliteConnection)sender).CreateCommand();
            command.CommandText = OnOpen;
            command.ExecuteNonQuery();
        }
    }
}
