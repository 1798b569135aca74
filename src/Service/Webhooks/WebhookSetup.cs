using Condense.Service.Hosting;

namespace Condense.Service.Webhooks;

/// <summary>What webhooks are made of.</summary>
internal static class WebhookSetup
{
    /// <summary>Adds everything; the sender only where this process sends.</summary>
    public static void AddWebhooks(this IServiceCollection services, IConfiguration configuration, ServiceRole role)
    {
        ServiceSetup.AddOptions<WebhookOptions>(services, WebhookOptions.Section);
        services.AddSingleton<IHostResolver, SystemResolver>();
        services.AddSingleton<WebhookGuard>();
        services.AddSingleton<WebhookClient>();
        services.AddSingleton<WebhookDispatcher>();
        services.AddSingleton<DeliverySignal>();
        services.AddScoped<Outbox>();
        services.AddScoped<DeliveryQueue>();
        services.AddScoped<WebhookRegister>();
        if (configuration.GetSection(WebhookOptions.Section).GetValue<bool?>(nameof(WebhookOptions.Send)) ?? role != ServiceRole.Api)
        {
            services.AddHostedService<WebhookSender>();
        }
    }
}
