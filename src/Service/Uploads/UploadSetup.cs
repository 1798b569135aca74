using Condense.Service.Hosting;
using Condense.Service.Library;
using Condense.Service.Storage;

namespace Condense.Service.Uploads;

/// <summary>What takes files that come in pieces.</summary>
internal static class UploadSetup
{
    /// <summary>Adds it.</summary>
    public static void AddUploads(this IServiceCollection services, StorageOptions storage, ServiceRole role)
    {
        ServiceSetup.AddOptions<UploadOptions>(services, UploadOptions.Section);
        services.AddScoped<PartLibrary>();
        services.AddScoped<UploadLedger>();
        services.AddScoped<UploadReceiver>();
        services.AddScoped<ExpiredUploads>();
        if (storage.Provider == DatabaseProvider.Sqlite)
        {
            services.AddScoped<IUploadBytes, FolderUploads>();
        }
        else
        {
            services.AddScoped<IUploadBytes, PostgresUploads>();
        }

        if (role != ServiceRole.Worker)
        {
            services.AddHostedService<UploadSweeper>();
        }
    }
}
