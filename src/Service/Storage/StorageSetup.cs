using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Condense.Service.Storage;

/// <summary>What storage is made of, on the one database or the other.</summary>
internal static class StorageSetup
{
    /// <summary>Adds it.</summary>
    /// <param name="services">Of the host.</param>
    /// <param name="storage">The settings.</param>
    /// <param name="machineClock">What this machine takes for the time.</param>
    public static void AddStorage(this IServiceCollection services, StorageOptions storage, TimeProvider machineClock)
    {
        services.AddSingleton<IdSource>();
        services.AddSingleton<DataFolder>();
        services.AddScoped<ArtifactStore>();
        services.AddSingleton<WriteGate>();
        services.AddSingleton<OutageLog>();
        services.AddScoped<Patience>();
        services.AddScoped<WriteTransaction>();
        services.AddScoped<Migrator>();
        services.AddScoped<Housekeeping>();
        services.AddSingleton<ExpirySweeper>();
        services.AddHostedService(provider => provider.GetRequiredService<ExpirySweeper>());
        if (storage.Provider == DatabaseProvider.Sqlite)
        {
            services.AddSingleton(machineClock);
            services.AddSingleton(provider => new SqliteDataSource($"Data Source={provider.GetRequiredService<DataFolder>().Database}"));
            services.AddSingleton<FolderBlobs>();
            services.AddSingleton<IBlobStore>(provider => provider.GetRequiredService<FolderBlobs>());
            services.AddDbContext<CondenseDbContext, SqliteDbContext>((provider, options) =>
                options.UseSqlite(provider.GetRequiredService<SqliteDataSource>().CreateConnection(), contextOwnsConnection: true));
            return;
        }

        services.AddSingleton(new SynchronisedTime(machineClock));
        services.AddSingleton<TimeProvider>(provider => provider.GetRequiredService<SynchronisedTime>());
        services.AddSingleton<TimeSynchroniser>();
        services.AddSingleton(_ => DatabaseStart.Open(storage));
        services.AddSingleton<DatabaseStart>();
        services.AddSingleton<BlobCache>();
        services.AddSingleton<IBlobStore, PostgresBlobs>();
        services.AddDbContext<CondenseDbContext, PostgresDbContext>((provider, options) => options.UseNpgsql(
            provider.GetRequiredService<NpgsqlDataSource>(),
            npgsql => npgsql.ExecutionStrategy(strategy => new PatientReads(strategy, provider.GetRequiredService<Patience>(), provider.GetRequiredService<TimeProvider>()))));
    }
}
