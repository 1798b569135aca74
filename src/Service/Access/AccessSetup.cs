using Condense.Service.Storage;

namespace Condense.Service.Access;

/// <summary>Who may use the service, and how much of it.</summary>
internal static class AccessSetup
{
    /// <summary>Adds what decides about it.</summary>
    public static void AddAccess(this IServiceCollection services)
    {
        services.AddOptions<AccessOptions>().BindConfiguration(AccessOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<QuotaOptions>().BindConfiguration(QuotaOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddScoped<Caller>();
        services.AddScoped<KeyRing>();
        services.AddScoped<FirstKey>();
        services.AddSingleton<KeyPolicy>();
        services.AddSingleton<KeyUse>();
        services.AddSingleton<RateLimits>();
        services.AddSingleton<QuotaGuard>();
        services.ConfigureDbContext<SqliteDbContext>(static (provider, options) => options.AddInterceptors(provider.GetRequiredService<QuotaGuard>()));
        services.ConfigureDbContext<PostgresDbContext>(static (provider, options) => options.AddInterceptors(provider.GetRequiredService<QuotaGuard>()));
    }

    /// <summary>Asks every request who it is, before anything else looks at it.</summary>
    public static void UseAccess(this WebApplication app)
    {
        app.Use(static (context, next) =>
        {
            context.Response.OnStarting(
                static state =>
                {
                    ((HttpContext)state).Response.Headers.XContentTypeOptions = "nosniff";
                    return Task.CompletedTask;
                },
                context);
            return next(context);
        });
        app.UseMiddleware<Gatekeeper>();
    }
}
