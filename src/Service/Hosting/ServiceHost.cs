using Condense.Service.Access;
using Condense.Service.Storage;
using Microsoft.Extensions.Options;
using Npgsql;
using Quartz;

namespace Condense.Service.Hosting;

/// <summary>Builds the service, prepares its data, and runs it.</summary>
internal static class ServiceHost
{
    private const int Failed = 1;

    /// <summary>The command that brings the tables up to date, and nothing else.</summary>
    private const string Migrate = "migrate";

    /// <summary>The setting that names a folder of mounted secrets.</summary>
    private const string SecretsFolder = "Secrets";

    /// <summary>Runs until the process is asked to end, or does what the first argument asks for.</summary>
    /// <returns>The exit code: 0, or 1 when the service could not start.</returns>
    /// <param name="args">The settings.</param>
    /// <param name="machineClock">What this machine takes for the time; by default its clock.</param>
    /// <param name="extend">More services, or others.</param>
    public static async Task<int> RunAsync(string[] args, TimeProvider? machineClock = null, Action<IServiceCollection>? extend = null)
    {
        try
        {
            if (args is [KeyCommand.Name, .. var rest])
            {
                return await KeyCommand.RunAsync(rest);
            }

            bool migrates = args is [Migrate, ..];
            await using var app = Build(migrates ? args[1..] : args, machineClock, extend);

            // `swagger tofile` starts this program to read its routes; there is nothing to prepare for that.
            if (string.Equals(System.Reflection.Assembly.GetEntryAssembly()?.GetName().Name, "dotnet-swagger", StringComparison.Ordinal))
            {
                await app.RunAsync();
                return 0;
            }

            if (migrates)
            {
                await MigrateAsync(app);
                return 0;
            }

            ListenAddresses.Check(app);
            app.Services.GetRequiredService<KeyPolicy>().CheckSetting();
            await PrepareAsync(app);
            await app.RunAsync();
            return 0;
        }
        catch (StartupException exception)
        {
            await Console.Error.WriteLineAsync($"condense: {exception.Message}");
            return Failed;
        }
        catch (Exception exception) when (DatabaseFault(exception) is { } fault)
        {
            await Console.Error.WriteLineAsync($"condense: the database can't be used: {fault.Message.TrimEnd('.')}. Check that the server runs, and the setting Storage:ConnectionString.");
            return Failed;
        }
        catch (OptionsValidationException exception)
        {
            await Console.Error.WriteLineAsync($"condense: the configuration can't be used: {exception.Message}");
            return Failed;
        }
    }

    /// <summary>What PostgreSQL, or the way to it, has said, at whatever depth.</summary>
    private static NpgsqlException? DatabaseFault(Exception? exception)
    {
        while (exception is not (null or NpgsqlException))
        {
            exception = exception.InnerException;
        }

        return exception as NpgsqlException;
    }

    /// <summary>Every file of the folder is a setting: neither the environment nor the command line then shows it.</summary>
    private static void AddSecrets(ConfigurationManager configuration, string folder)
    {
        try
        {
            configuration.AddKeyPerFile(Path.GetFullPath(folder), optional: false);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"The folder {folder}, named by the setting {SecretsFolder}, can't be read: {exception.Message}", exception);
        }
    }

    /// <summary>Builds the service; nothing is touched yet.</summary>
    public static WebApplication Build(string[] args, TimeProvider? machineClock = null, Action<IServiceCollection>? extend = null)
    {
        var builder = WebApplication.CreateBuilder(args);
        if (builder.Configuration[SecretsFolder] is { Length: > 0 } folder)
        {
            AddSecrets(builder.Configuration, folder);
        }

        builder.AddCondense(machineClock ?? TimeProvider.System);
        extend?.Invoke(builder.Services);
        var app = builder.Build();
        app.MapCondense();
        return app;
    }

    /// <summary>Brings the tables up to date, those of the scheduler too, which makes its own when it is first asked for.</summary>
    private static async Task MigrateAsync(WebApplication app)
    {
        app.Services.GetRequiredService<DataFolder>().Open();
        await using var scope = app.Services.CreateAsyncScope();
        await scope.ServiceProvider.GetRequiredService<Migrator>().MigrateAsync(app.Lifetime.ApplicationStopping);
        await app.Services.GetRequiredService<ISchedulerFactory>().GetScheduler(app.Lifetime.ApplicationStopping);
        await Console.Out.WriteLineAsync("The tables are up to date.");
    }

    /// <summary>Takes the data folder, brings the tables up to date, and cleans up after the last process.</summary>
    /// <exception cref="StartupException">The data folder can't be used, or a key is needed and there is none.</exception>
    public static async Task PrepareAsync(WebApplication app)
    {
        app.Services.GetRequiredService<DataFolder>().Open();
        var cancellationToken = app.Lifetime.ApplicationStopping;
        await using var scope = app.Services.CreateAsyncScope();
        var migrator = scope.ServiceProvider.GetRequiredService<Migrator>();
        if (app.Services.GetRequiredService<IOptions<StorageOptions>>().Value.Migrate)
        {
            await migrator.MigrateAsync(cancellationToken);
        }
        else
        {
            await migrator.CheckAsync(cancellationToken);
        }

        if (app.Services.GetService<TimeSynchroniser>() is { } time)
        {
            await time.MeasureAsync(cancellationToken);
        }

        await scope.ServiceProvider.GetRequiredService<FirstKey>().RequireAsync(cancellationToken);
        await scope.ServiceProvider.GetRequiredService<Housekeeping>().RunAsync(cancellationToken);
    }
}
