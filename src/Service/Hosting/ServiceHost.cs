using Condense.Service.Storage;
using Microsoft.Extensions.Options;

namespace Condense.Service.Hosting;

/// <summary>Builds the service, prepares its data, and runs it.</summary>
internal static class ServiceHost
{
    private const int Failed = 1;

    /// <summary>Runs until the process is asked to end.</summary>
    /// <returns>The exit code: 0, or 1 when the service could not start.</returns>
    /// <param name="args">The settings.</param>
    /// <param name="machineClock">What this machine takes for the time; by default its clock.</param>
    /// <param name="extend">More services, or others.</param>
    public static async Task<int> RunAsync(string[] args, TimeProvider? machineClock = null, Action<IServiceCollection>? extend = null)
    {
        try
        {
            await using var app = Build(args, machineClock, extend);

            // `swagger tofile` starts this program to read its routes; there is nothing to prepare for that.
            if (string.Equals(System.Reflection.Assembly.GetEntryAssembly()?.GetName().Name, "dotnet-swagger", StringComparison.Ordinal))
            {
                await app.RunAsync();
                return 0;
            }

            ListenAddresses.Check(app);
            await PrepareAsync(app);
            await app.RunAsync();
            return 0;
        }
        catch (StartupException exception)
        {
            await Console.Error.WriteLineAsync($"condense: {exception.Message}");
            return Failed;
        }
        catch (OptionsValidationException exception)
        {
            await Console.Error.WriteLineAsync($"condense: the configuration can't be used: {exception.Message}");
            return Failed;
        }
    }

    /// <summary>Builds the service; nothing is touched yet.</summary>
    public static WebApplication Build(string[] args, TimeProvider? machineClock = null, Action<IServiceCollection>? extend = null)
    {
        var builder = WebApplication.CreateBuilder(args);
        builder.AddCondense(machineClock ?? TimeProvider.System);
        extend?.Invoke(builder.Services);
        var app = builder.Build();
        app.MapCondense();
        return app;
    }

    /// <summary>Takes the data folder, brings the tables up to date, and cleans up after the last process.</summary>
    /// <exception cref="StartupException">The data folder can't be used.</exception>
    public static async Task PrepareAsync(WebApplication app)
    {
        app.Services.GetRequiredService<DataFolder>().Open();
        var cancellationToken = app.Lifetime.ApplicationStopping;
        await using var scope = app.Services.CreateAsyncScope();
        await scope.ServiceProvider.GetRequiredService<Migrator>().MigrateAsync(cancellationToken);
        if (app.Services.GetService<TimeSynchroniser>() is { } time)
        {
            await time.MeasureAsync(cancellationToken);
        }

        await scope.ServiceProvider.GetRequiredService<Housekeeping>().RunAsync(cancellationToken);
    }
}
