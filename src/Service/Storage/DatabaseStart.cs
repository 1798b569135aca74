using System.Globalization;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Condense.Service.Storage;

/// <summary>Waits at start until PostgreSQL answers, and says in one sentence why it does not. Containers start together: the database may come last.</summary>
internal sealed class DatabaseStart(NpgsqlDataSource source, IOptions<StorageOptions> options, TimeProvider clock, ILogger<DatabaseStart> logger)
{
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(500);

    /// <summary>Makes the pool of connections.</summary>
    /// <exception cref="StartupException">The connection string is missing, or can't be read.</exception>
    public static NpgsqlDataSource Open(StorageOptions storage)
    {
        const string Cure = "It looks like --Storage:ConnectionString=\"Host=db;Username=condense;Password=…;Database=condense\".";
        if (string.IsNullOrWhiteSpace(storage.ConnectionString))
        {
            throw new StartupException($"Storage:Provider is postgres, but there is no Storage:ConnectionString. {Cure}");
        }

        try
        {
            var builder = new NpgsqlConnectionStringBuilder(storage.ConnectionString);
            return string.IsNullOrEmpty(builder.Host)
                ? throw new StartupException($"Storage:ConnectionString names no Host. {Cure}")
                : PostgresSource.Create(builder);
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException or OverflowException or InvalidOperationException)
        {
            throw new StartupException($"Storage:ConnectionString can't be read: {exception.Message.ReplaceLineEndings(" ")} {Cure}", exception);
        }
    }

    /// <summary>Waits.</summary>
    /// <exception cref="StartupException">It refuses us, or does not answer in time.</exception>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        long start = clock.GetTimestamp();
        bool told = false;
        while (true)
        {
            try
            {
                await using var connection = await source.OpenConnectionAsync(cancellationToken);
                return;
            }
            catch (NpgsqlException exception)
            {
                if (Refusal(exception) is { } refusal)
                {
                    throw new StartupException(refusal, exception);
                }

                if (clock.GetElapsedTime(start) >= options.Value.StartPatience)
                {
                    throw new StartupException(
                        $"PostgreSQL at {Host} does not answer, waited {options.Value.StartPatience.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s for it (Storage:StartPatience): {Reason(exception)}. Start it, or mend Host and Port in Storage:ConnectionString.",
                        exception);
                }

                if (!told)
                {
                    string reason = Reason(exception);
                    StorageLog.Waiting(logger, Host, reason);
                    told = true;
                }
            }

            await Task.Delay(s_pause, clock, cancellationToken);
        }
    }

    private NpgsqlConnectionStringBuilder Settings => new(options.Value.ConnectionString);

    private string Host { get; } = HostOf(new NpgsqlConnectionStringBuilder(options.Value.ConnectionString));

    private static string HostOf(NpgsqlConnectionStringBuilder settings) => string.Create(CultureInfo.InvariantCulture, $"{settings.Host}:{settings.Port}");

    private static string Reason(Exception exception) => (exception.InnerException ?? exception).Message.TrimEnd('.').ReplaceLineEndings(" ");

    /// <summary>What waiting does not mend; null for everything else.</summary>
    private string? Refusal(NpgsqlException exception) => exception switch
    {
        PostgresException { SqlState: PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification } refused =>
            $"PostgreSQL at {Host} refuses the user \"{Settings.Username}\": {refused.MessageText}. Mend Username and Password in Storage:ConnectionString.",
        PostgresException { SqlState: PostgresErrorCodes.InvalidCatalogName } =>
            $"PostgreSQL at {Host} has no database \"{Settings.Database}\". Make it (createdb {Settings.Database}), or mend Database in Storage:ConnectionString.",
        { Message: var message } when message.Contains("No password has been provided", StringComparison.Ordinal) =>
            $"PostgreSQL at {Host} asks for a password, and Storage:ConnectionString has none. Add Password=….",
        _ => null,
    };
}
