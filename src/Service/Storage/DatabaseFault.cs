using System.Data.Common;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Condense.Service.Storage;

/// <summary>What a database's error means, however deep it lies in what others have wrapped around it.</summary>
internal static class DatabaseFault
{
    /// <summary>SQLITE_BUSY, SQLITE_LOCKED, SQLITE_CANTOPEN.</summary>
    private static readonly int[] s_sqliteAway = [5, 6, 14];

    /// <summary>idle_in_transaction_session_timeout: the server gave up on a node that stood still.</summary>
    private const string SessionEnded = "25P03";

    /// <summary>SQLITE_FULL.</summary>
    private const int SqliteFull = 13;

    /// <summary>
    /// Whether the database could not be reached, went away, or had no more room for us: worth another try later. Also what says that it no longer takes
    /// our password, or that it is gone: it was there at the start.
    /// </summary>
    public static bool IsAway(Exception exception) => Of(exception) switch
    {
        PostgresException { SqlState: SessionEnded } => true,
        PostgresException postgres => postgres.SqlState[..2] is "08" or "28" or "3D" or "53" or "57" or "58" or "XX" && !IsFull(exception),
        NpgsqlException => true,
        SqliteException sqlite => s_sqliteAway.Contains(sqlite.SqliteErrorCode),
        _ => false,
    };

    /// <summary>Whether the database has no more room on its disk.</summary>
    public static bool IsFull(Exception exception) => Of(exception) switch
    {
        PostgresException postgres => postgres.SqlState is PostgresErrorCodes.DiskFull,
        SqliteException sqlite => sqlite.SqliteErrorCode == SqliteFull,
        _ => false,
    };

    /// <summary>
    /// Whether the transaction met another one: a deadlock, a serialization failure, or a row that went between two statements and that a foreign key
    /// has missed. All of it is undone, and tried again it sees what the other one has done.
    /// </summary>
    public static bool IsConflict(Exception exception) =>
        Of(exception) is PostgresException
        {
            SqlState: PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.ForeignKeyViolation,
        };

    private static DbException? Of(Exception? exception)
    {
        while (exception is not (null or PostgresException or NpgsqlException or SqliteException))
        {
            exception = exception.InnerException;
        }

        return (DbException?)exception;
    }
}
