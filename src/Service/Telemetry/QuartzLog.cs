using Condense.Service.Storage;

namespace Condense.Service.Telemetry;

/// <summary>
/// The log of Quartz, whose loops tell of every failure with its stack, each on its own: that the database is away is said once, by
/// <see cref="OutageLog"/>; the rest goes to the log as it is.
/// </summary>
/// <param name="services">Asked when something is said: the log is made of this, too.</param>
internal sealed class QuartzLog(IServiceProvider services) : ILoggerProvider
{
    /// <summary>What its categories begin with.</summary>
    public const string Category = "Quartz";

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => new Entries(services, $"Condense.{categoryName}");

    /// <inheritdoc/>
    public void Dispose()
    {
        // It has nothing of its own.
    }

    private sealed class Entries(IServiceProvider services, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (exception is null || !services.GetRequiredService<OutageLog>().Takes(exception))
            {
                services.GetRequiredService<ILoggerFactory>().CreateLogger(category).Log(logLevel, eventId, state, exception, formatter);
            }
        }
    }
}
