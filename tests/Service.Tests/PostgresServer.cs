using System.Diagnostics;
using Npgsql;
using Xunit;

namespace Condense.Service.Tests;

/// <summary>A real PostgreSQL of the tests' own: unprivileged, on loopback, in a temporary folder. Skips the test where none is installed.</summary>
internal sealed class PostgresServer : IAsyncDisposable
{
    private static readonly SemaphoreSlim s_sharedLock = new(1, 1);
    private static PostgresServer? s_shared;
    private static int s_databases;

    private readonly string _folder;
    private readonly string _binaries;

    private PostgresServer(string folder, string binaries, int port)
    {
        _folder = folder;
        _binaries = binaries;
        Port = port;
    }

    public int Port { get; }

    /// <summary>The server that all tests share; it ends with the process. Tests that stop or restart a server start one of their own.</summary>
    public static async Task<PostgresServer> SharedAsync()
    {
        await s_sharedLock.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            if (s_shared is null)
            {
                s_shared = await StartAsync("-c", "fsync=off");
                AppDomain.CurrentDomain.ProcessExit += (_, _) => s_shared.StopAsync().AsTask().GetAwaiter().GetResult();
            }

            return s_shared;
        }
        finally
        {
            s_sharedLock.Release();
        }
    }

    /// <summary>Starts a server.</summary>
    /// <param name="options">More of its options.</param>
    public static async Task<PostgresServer> StartAsync(params string[] options)
    {
        string? binaries = Binaries();
        Assert.SkipWhen(binaries is null, "PostgreSQL is not installed.");
        string folder = Directory.CreateTempSubdirectory("condense-postgres-").FullName;
        if (Environment.UserName == "root")
        {
            await RunAsync("chown", "postgres", folder);
        }

        var server = new PostgresServer(folder, binaries!, ServiceProcess.FreePort());
        await server.AsOwnerAsync("initdb", "-D", server.Data, "-A", "trust", "-U", "postgres", "--no-sync", "--encoding=UTF8");
        string all = string.Join(' ', new[] { $"-p {server.Port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c max_connections=300" }.Concat(options));
        await server.AsOwnerAsync("pg_ctl", "-D", server.Data, "-w", "-l", Path.Combine(folder, "log"), "-o", all, "start");
        return server;
    }

    /// <summary>Makes an empty database; its connection string.</summary>
    public async Task<string> CreateDatabaseAsync()
    {
        string name = $"condense_{Environment.ProcessId}_{Interlocked.Increment(ref s_databases)}";
        await using var source = NpgsqlDataSource.Create($"{Address};Database=postgres");
        await using var command = source.CreateCommand($"CREATE DATABASE {name}");
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        return $"{Address};Database={name}";
    }

    /// <summary>Restarts it, by default as a crash would: <c>pg_ctl restart -m immediate</c>.</summary>
    public Task RestartAsync(string mode = "immediate") => AsOwnerAsync("pg_ctl", "-D", Data, "-w", "-l", Path.Combine(_folder, "log"), "-m", mode, "restart");

    /// <summary>Stops it; <see cref="ContinueAsync"/> starts it again.</summary>
    public Task HaltAsync(string mode = "immediate") => AsOwnerAsync("pg_ctl", "-D", Data, "-w", "-m", mode, "stop");

    /// <summary>Starts it again with the options that it had.</summary>
    public async Task ContinueAsync()
    {
        // postmaster.opts keeps the options; `restart` of a stopped server starts it with them.
        await AsOwnerAsync("pg_ctl", "-D", Data, "-w", "-l", Path.Combine(_folder, "log"), "restart");
    }

    public ValueTask DisposeAsync() => StopAsync();

    private string Data => Path.Combine(_folder, "data");

    private string Address => $"Host=127.0.0.1;Port={Port};Username=postgres";

    private async ValueTask StopAsync()
    {
        try
        {
            await AsOwnerAsync("pg_ctl", "-D", Data, "-m", "immediate", "stop");
        }
        finally
        {
            await RunAsync("rm", "-rf", _folder);
        }
    }

    private static string? Binaries() =>
        Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql").OrderDescending().Select(path => Path.Combine(path, "bin")).FirstOrDefault(path => File.Exists(Path.Combine(path, "initdb")))
            : Environment.GetEnvironmentVariable("PATH")!.Split(':').FirstOrDefault(path => File.Exists(Path.Combine(path, "initdb")));

    /// <summary>The server refuses to run as root.</summary>
    private Task AsOwnerAsync(string program, params string[] arguments)
    {
        string[] command = [Path.Combine(_binaries, program), .. arguments];
        return Environment.UserName == "root" ? RunAsync("runuser", ["-u", "postgres", "--", .. command]) : RunAsync(command[0], command[1..]);
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        // Output to a file: a server that pg_ctl starts would keep a pipe open.
        var start = new ProcessStartInfo("bash", ["-c", "exec \"$@\" >\"$0\" 2>&1", Path.Combine(Path.GetTempPath(), $"condense-pg-{Environment.ProcessId}-{Interlocked.Increment(ref s_databases)}.out"), program, .. arguments])
        {
            UseShellExecute = false,
            WorkingDirectory = "/",
        };
        using var process = Process.Start(start)!;
        await process.WaitForExitAsync();
        string output = await File.ReadAllTextAsync(start.ArgumentList[2]);
        File.Delete(start.ArgumentList[2]);
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {output}");
    }
}
