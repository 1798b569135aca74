using System.Diagnostics;
using Condense.Service.Access;

namespace Condense.Service.Telemetry;

/// <summary>What spans and log entries of a request say of it: the route and the tenant. Neither the address as it came nor any header.</summary>
internal static class RequestTelemetry
{
    /// <summary>Names the server's span by the route. Probes and <c>/metrics</c> are asked for every few seconds: their spans are not sent.</summary>
    public static void UseRequestSpans(this WebApplication app) => app.Use(static async (context, next) =>
    {
        var span = Activity.Current;
        try
        {
            await next(context);
        }
        finally
        {
            if (span is { IsAllDataRequested: true })
            {
                Describe(span, context);
            }
        }
    });

    /// <summary>Log entries of the request name the tenant. Comes after whatever knows it.</summary>
    public static void UseRequestScopes(this WebApplication app)
    {
        var logger = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(RequestTelemetry));
        app.Use(async (context, next) =>
        {
            var caller = context.RequestServices.GetRequiredService<Caller>();
            using (logger.BeginScope(new LogScope(("Tenant", caller.TenantId), ("Key", caller.KeyId))))
            {
                await next(context);
            }
        });
    }

    private static void Describe(Activity span, HttpContext context)
    {
        string? route = (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText?.TrimEnd('/');
        if (route is null || !route.StartsWith("/v1", StringComparison.Ordinal))
        {
            span.ActivityTraceFlags &= ~ActivityTraceFlags.Recorded;
            return;
        }

        span.DisplayName = $"{context.Request.Method} {route}";
        span.SetTag("http.request.method", context.Request.Method);
        span.SetTag("http.route", route);
        span.SetTag("http.response.status_code", context.Response.StatusCode);
    }
}
