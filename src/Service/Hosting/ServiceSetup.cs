using System.Data;
using Condense.Service.Access;
using Condense.Service.Datasets;
using Condense.Service.Idempotency;
using Condense.Service.Isolation;
using Condense.Service.Jobs;
using Condense.Service.Library;
using Condense.Service.Methods;
using Condense.Service.Problems;
using Condense.Service.Storage;
using Condense.Service.Telemetry;
using Condense.Service.Uploads;
using Condense.Service.Webhooks;
using Microsoft.AspNetCore.Mvc;
using Microsoft.OpenApi;
using Npgsql;
using Quartz;

namespace Condense.Service.Hosting;

/// <summary>What the service is made of.</summary>
internal static class ServiceSetup
{
    /// <summary>A name of a model may take this much of the request line before it is judged by the code that knows the limit.</summary>
    private const int RequestLineBytes = 512 << 10;

    /// <summary>SQLite refuses a cluster, and a restart finds the work that a crash interrupted by this name.</summary>
    private const string InstanceId = "the-only-one";

    private const int InspectionsAtOnce = 2;

    /// <summary>Adds everything.</summary>
    /// <param name="builder">Of the host.</param>
    /// <param name="machineClock">What this machine takes for the time; the database's clock goes before it where nodes share one.</param>
    public static void AddCondense(this WebApplicationBuilder builder, TimeProvider machineClock)
    {
        var services = builder.Services;
        AddOptions<StorageOptions>(services, StorageOptions.Section);
        AddOptions<LimitsOptions>(services, LimitsOptions.Section);
        AddOptions<WorkerOptions>(services, WorkerOptions.Section);
        var worker = builder.Configuration.GetSection(WorkerOptions.Section).Get<WorkerOptions>() ?? new WorkerOptions();
        var storage = builder.Configuration.GetSection(StorageOptions.Section).Get<StorageOptions>() ?? new StorageOptions();
        var role = RoleOf(builder.Configuration);

        ConfigureServer(builder);
        builder.AddTelemetry();
        services.AddSingleton<Node>();
        services.AddAccess();
        services.AddScoped<Upload>();
        AddLibrary(services);
        services.AddUploads(storage, role);
        AddIdempotency(services);
        AddJobs(services);
        services.AddWebhooks(builder.Configuration, role);
        services.AddStorage(storage, machineClock);
        AddScheduler(services, storage, worker, role);
        AddAnswers(services);
    }

    /// <summary>Adds what delivers work, and on workers what takes it.</summary>
    private static void AddScheduler(IServiceCollection services, StorageOptions storage, WorkerOptions worker, ServiceRole role)
    {
        if (role != ServiceRole.Api)
        {
            services.AddHostedService<LeaseKeeper>();
        }

        if (storage.Provider == DatabaseProvider.Postgres)
        {
            services.AddHostedService(provider => provider.GetRequiredService<TimeSynchroniser>());
            services.AddHostedService<NoticeListener>();
        }

        services.AddQuartz(quartz => ConfigureQuartz(quartz, storage, worker));
        if (role != ServiceRole.Api)
        {
            services.Configure<HostOptions>(options =>
            {
                options.ShutdownTimeout = worker.DrainTime;

                // One after the other, the first slow download would use up the time of the jobs.
                options.ServicesStopConcurrently = true;
            });
            services.AddQuartzHostedService(options => options.WaitForJobsToComplete = true);
            services.AddHostedService<LayerAssistant>();
            services.AddHostedService<Sweeper>();
        }
    }

    private static void ConfigureServer(WebApplicationBuilder builder)
    {
        if (string.IsNullOrEmpty(builder.Configuration[WebHostDefaults.ServerUrlsKey]) && !builder.Configuration.GetSection("Kestrel:Endpoints").Exists())
        {
            builder.WebHost.UseUrls(ListenAddresses.Default);
        }

        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestLineSize = RequestLineBytes;
        });
    }

    /// <summary>Adds the addresses.</summary>
    public static void MapCondense(this WebApplication app)
    {
        // The listener first: what comes before it would not be counted.
        _ = app.Services.GetRequiredService<MetricsReader>();
        app.UseRequestSpans();
        app.UseCountedBodies();
        app.UseExceptionHandler(new ExceptionHandlerOptions { ExceptionHandler = _ => Task.CompletedTask });
        app.Use(ProblemWriter.WriteStatusAsync);
        app.Use(static (context, next) =>
        {
            context.RequestServices.GetRequiredService<Patience>().DoNotWait();
            return next(context);
        });
        app.Use(Tus.AnnounceAsync);
        app.UseAccess();
        app.UseRequestScopes();
        app.UseMiddleware<IdempotencyMiddleware>();
        app.UseSwagger(options => options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1);
        app.UseSwaggerUI(options =>
        {
            options.DocumentTitle = "Condense";
            options.SwaggerEndpoint("/swagger/v1/swagger.json", "v1");
            options.EnableTryItOutByDefault();
            options.DisplayRequestDuration();
        });
        app.MapProbes();
        app.MapMetrics();
        if (RoleOf(app.Configuration) == ServiceRole.Worker)
        {
            return;
        }

        var v1 = app.MapGroup("/v1");
        v1.UseDocumentTags();

        // Of every body; what takes files asks for more.
        v1.WithMetadata(new RequestSizeLimitAttribute((app.Configuration.GetSection(LimitsOptions.Section).Get<LimitsOptions>() ?? new LimitsOptions()).JobBytes));
        v1.MapModels();
        v1.MapParts();
        v1.MapUploads();
        v1.MapDatasets();
        v1.MapJobs();
        v1.MapWebhooks();
        v1.MapMethods();
        v1.MapLimits();
        v1.MapApiKeys();
        v1.MapUsage();
    }

    private static void AddLibrary(IServiceCollection services)
    {
        services.AddSingleton<ModelOpener>();
        services.AddScoped<ModelLibrary>();
        services.AddScoped<FormLibrary>();
        services.AddScoped<ModelChanges>();
        services.AddScoped<DatasetLibrary>();
    }

    private static void AddIdempotency(IServiceCollection services)
    {
        services.AddScoped<IdempotentRequest>();
        services.AddScoped<IdempotencyKeys>();
    }

    private static void AddAnswers(IServiceCollection services)
    {
        services.AddExceptionHandler<ProblemWriter>();
        services.Configure<RouteHandlerOptions>(options => options.ThrowOnBadRequest = true);
        services.ConfigureHttpJsonOptions(options => ApiJson.Configure(options.SerializerOptions));
        services.AddEndpointsApiExplorer();
        services.AddSwaggerGen(ApiDescription.Configure);
    }

    private static void AddJobs(IServiceCollection services)
    {
        services.AddSingleton<WorkTriggers>();
        services.AddSingleton<RunningJobs>();
        services.AddSingleton<Drain>();
        services.AddSingleton<JobSignals>();
        services.AddSingleton<HandoverSignal>();
        services.AddSingleton<DatabaseContact>();
        services.AddSingleton<EventLog>();
        services.AddSingleton<EventStream>();
        services.AddSingleton<RecipeJudge>();
        services.AddScoped<JobLedger>();
        services.AddScoped<Redelivery>();
        services.AddScoped<WorkFolders>();
        services.AddScoped<JobAcceptance>();
        services.AddScoped<JobWait>();
        services.AddScoped<ResultPublisher>();
        services.AddScoped<JobInputs>();
        services.AddScoped<Checkpoints>();
        services.AddScoped<LayerUnits>();
        services.AddSingleton<ChildProgram>();
        services.AddSingleton<ChildPool>();
        services.AddSingleton<MemoryRoom>();
        services.AddSingleton<SideWork>();
    }

    /// <summary>Adds options of a section, checked at start.</summary>
    public static void AddOptions<T>(IServiceCollection services, string section)
        where T : class =>
        services.AddOptions<T>().BindConfiguration(section).ValidateDataAnnotations().ValidateOnStart();

    /// <summary>What this process does, by the setting <c>Role</c>.</summary>
    public static ServiceRole RoleOf(IConfiguration configuration) => configuration.GetValue("Role", ServiceRole.Both);

    private static void ConfigureQuartz(IQuartzBuilder quartz, StorageOptions storage, WorkerOptions worker)
    {
        quartz.ConfigureScheduler(options =>
        {
            options.InstanceName = WorkTriggers.SchedulerName;
            if (storage.Provider == DatabaseProvider.Sqlite)
            {
                options.InstanceId = InstanceId;
            }

            options.IdleWaitTime = worker.IdleWait;
            options.ShutdownJobInterruption = ShutdownJobInterruption.Always;
        });
        quartz.UseDefaultThreadPool(worker.Concurrency + InspectionsAtOnce);
        quartz.UseExecutionLimits(limits => limits
            .ForGroup(WorkTriggers.CompressionGroup, worker.Concurrency)
            .ForGroup(WorkTriggers.InspectionGroup, InspectionsAtOnce));
        quartz.UsePersistentStore(store =>
        {
            store.ConfigureStore(options =>
            {
                options.AcceptEnlistedTransactions = true;
                options.StoreJobDataAsStrings = true;
                options.RecoverFiringsCancelledByShutdown = true;
            });
            store.ProvisionSchema();
            store.UseSystemTextJsonSerializer();
            if (storage.Provider == DatabaseProvider.Sqlite)
            {
                // The delegate and the lock handler before UseSqlite: the first registration wins.
                store.UseDriverDelegate<SqliteJobStore>();
                store.UseLockHandler<SqliteJobStore.TransactionIsTheLock>();
                store.ConfigureStore(options =>
                {
                    options.TransactionIsolationLevel = IsolationLevel.Serializable;
                    options.AcquireTriggersWithinLock = true;
                });
                store.UseSqlite(options => options.DataSourceFactory = provider => provider.GetRequiredService<SqliteDataSource>());
                return;
            }

            store.UseDriverDelegate<PostgresJobStore>();
            store.UsePostgres(options => options.DataSourceFactory = provider => provider.GetRequiredService<NpgsqlDataSource>());
            store.UseClustering(options =>
            {
                options.CheckinInterval = worker.CheckIn;
                options.CheckinMisfireThreshold = worker.CheckInTolerance;
            });
        });

        // A compression is brought back by its row's lease: a firing that Quartz recovers would stand beside the limit of its group.
        quartz.AddJob<CompressionJob>(job => job.WithIdentity(CompressionJob.Key).StoreDurably());
        quartz.AddJob<InspectionJob>(job => job.WithIdentity(InspectionJob.Key).StoreDurably().RequestRecovery());
        quartz.AddJob<ExpansionJob>(job => job.WithIdentity(ExpansionJob.Key).StoreDurably().RequestRecovery());
    }
}
