using System.Reflection;
using Condense.Service.Hosting;
using OpenTelemetry;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Condense.Service.Telemetry;

/// <summary>
/// Sends the spans to an OTLP collector, where <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> names one; else nothing is collected. OpenTelemetry's own settings
/// (<c>OTEL_…</c>) hold. Its hosting and instrumentation packages are not to be had where this is built, so the provider is made by hand.
/// </summary>
internal sealed class TraceExport(IConfiguration configuration) : IHostedService, IDisposable
{
    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";
    private const string TracesEndpoint = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
    private const string ServiceName = "OTEL_SERVICE_NAME";

    private TracerProvider? _provider;

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (string.IsNullOrEmpty(configuration[Endpoint]) && string.IsNullOrEmpty(configuration[TracesEndpoint]))
        {
            return Task.CompletedTask;
        }

        string version = typeof(TraceExport).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;
        string role = ServiceMetrics.Word(ServiceSetup.RoleOf(configuration));
        _provider = Sdk.CreateTracerProviderBuilder()
            // The exporter reads its settings from here: a setting file and the command line hold as the environment does.
            .ConfigureServices(services => services.AddSingleton(configuration))
            .ConfigureResource(resource => resource
                .AddService(configuration[ServiceName] ?? "condense", serviceVersion: version, autoGenerateServiceInstanceId: false, serviceInstanceId: $"{Environment.MachineName}/{Environment.ProcessId}")
                .AddAttributes([new("condense.role", role)]))
            .AddSource(Tracing.SourceName, "Microsoft.AspNetCore")
            .AddOtlpExporter()
            .Build();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Sends what is left.</summary>
    public void Dispose() => _provider?.Dispose();
}
