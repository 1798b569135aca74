using Condense.Service.Storage;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.Options;

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
        services.AddSingleton<OpenWaits>();
        services.AddSingleton<QuotaGuard>();
        services.ConfigureDbContext<SqliteDbContext>(static (provider, options) => options.AddInterceptors(provider.GetRequiredService<QuotaGuard>()));
        services.ConfigureDbContext<PostgresDbContext>(static (provider, options) => options.AddInterceptors(provider.GetRequiredService<QuotaGuard>()));
    }

    /// <summary>Asks every request who it is, before anything else looks at it.</summary>
    public static void UseAccess(this WebApplication app)
    {
        UseTrustedProxies(app);
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

    /// <summary>Whose request it is that a trusted proxy passes on. What other senders write into these headers is nobody's word.</summary>
    private static void UseTrustedProxies(WebApplication app)
    {
        var trusted = app.Services.GetRequiredService<IOptions<AccessOptions>>().Value.TrustedProxies;
        if (trusted.Count == 0)
        {
            return;
        }

        // Through as many proxies as are trusted.
        var options = new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto, ForwardLimit = null };
        options.KnownProxies.Clear();
        options.KnownIPNetworks.Clear();
        foreach (string network in trusted)
        {
            options.KnownIPNetworks.Add(System.Net.IPNetwork.Parse(network));
        }

        app.UseForwardedHeaders(options);
    }
}
