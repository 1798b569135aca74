using Condense.Service.Access;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Condense.Service.Telemetry;

/// <summary>The address <c>/metrics</c>, on every role.</summary>
internal static class MetricsEndpoint
{
    /// <summary>The address.</summary>
    public const string Path = "/metrics";

    /// <summary>Adds it.</summary>
    public static void MapMetrics(this WebApplication app) =>
        app.MapGet(Path, Get).WithTags("Probes").WithName("GetMetrics").IsOpen().Produces<string>(StatusCodes.Status200OK, "text/plain");

    /// <summary>What the service counts, for Prometheus.</summary>
    /// <remarks>
    /// Text exposition format 0.0.4. Counts and durations only, with labels of few known values: no id, no name, no tenant. Counters count since the
    /// start of this process; the queue's values are of the whole cluster, and absent while the database is away (`condense_database_up` is then 0).
    /// </remarks>
    /// <param name="reader">What was measured.</param>
    /// <param name="database">What the database says.</param>
    /// <param name="cancellationToken">The request's end.</param>
    /// <response code="200">The metrics.</response>
    public static async Task<ContentHttpResult> Get(MetricsReader reader, DatabaseGauges database, CancellationToken cancellationToken)
    {
        await database.RefreshAsync(cancellationToken);
        return TypedResults.Text(reader.Write(), PrometheusText.ContentType);
    }
}
