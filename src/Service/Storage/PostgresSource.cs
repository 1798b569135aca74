using Npgsql;

namespace Condense.Service.Storage;

/// <summary>
/// Connections to PostgreSQL. A node that stands still within a transaction (a suspended virtual machine, a SIGSTOP) would keep its row locks,
/// among them the one that every scheduler of the cluster needs, and those of jobs whose leases end meanwhile: the server ends such a session well
/// within the time that is left of a lease when it is renewed again, and one whose client has vanished from the network.
/// </summary>
internal static class PostgresSource
{
    private const string SessionOptions =
        "-c idle_in_transaction_session_timeout=4s -c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3";

    /// <summary>Makes the pool. Options of the connection string come after ours and win.</summary>
    public static NpgsqlDataSource Create(NpgsqlConnectionStringBuilder builder)
    {
        builder.Options = $"{SessionOptions} {builder.Options}".TrimEnd();
        return NpgsqlDataSource.Create(builder);
    }
}
