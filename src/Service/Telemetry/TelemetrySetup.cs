namespace Condense.Service.Telemetry;

/// <summary>Adds what makes the service visible.</summary>
internal static class TelemetrySetup
{
    private const string Formatter = "Logging:Console:FormatterName";
    private const string FormatterOptions = "Logging:Console:FormatterOptions";

    /// <summary>Adds metrics, traces and the form of the log.</summary>
    public static void AddTelemetry(this WebApplicationBuilder builder)
    {
        if (string.Equals(builder.Configuration[Formatter], "json", StringComparison.OrdinalIgnoreCase))
        {
            // For machines: with the scopes (job, attempt, tenant, trace) and in UTC, unless it is configured otherwise.
            SetDefault(builder.Configuration, $"{FormatterOptions}:IncludeScopes", "true");
            SetDefault(builder.Configuration, $"{FormatterOptions}:UseUtcTimestamp", "true");
            SetDefault(builder.Configuration, $"{FormatterOptions}:TimestampFormat", "yyyy-MM-ddTHH:mm:ss.fffZ");
        }

        // EF reports the missing history table of a new database as a failed command; a real failure throws. Quartz tells of every step.
        builder.Logging.AddFilter("Microsoft.EntityFrameworkCore", LogLevel.Critical);
        builder.Logging.AddFilter(QuartzLog.Category, LogLevel.None);
        builder.Logging.AddFilter<QuartzLog>(null, LogLevel.None);
        builder.Logging.AddFilter<QuartzLog>(QuartzLog.Category, LogLevel.Error);
        builder.Services.AddSingleton<ILoggerProvider, QuartzLog>();
        builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);

        builder.Services.AddSingleton<DatabaseGauges>();
        builder.Services.AddSingleton<ServiceMetrics>();
        builder.Services.AddSingleton<MetricsReader>();
        builder.Services.AddHostedService<TraceExport>();
    }

    private static void SetDefault(ConfigurationManager configuration, string key, string value) => configuration[key] ??= value;
}
