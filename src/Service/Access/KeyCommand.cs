using System.Globalization;
using System.Text.RegularExpressions;
using Condense.Service.Hosting;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Condense.Service.Access;

/// <summary>
/// The command <c>keys</c> of the service: whoever may read its settings and its database makes keys for any tenant, also while the service runs.
/// </summary>
internal static partial class KeyCommand
{
    /// <summary>The first word.</summary>
    public const string Name = "keys";

    private const int Failed = 1;
    private const int BadUsage = 2;

    private const string Usage =
        """
        usage: keys create --tenant NAME --name TEXT --scopes SCOPE,… [--expires 90d|2027-01-31] [settings]
               keys list [--tenant NAME] [settings]
               keys revoke ID [settings]
               keys generate
        `create` makes the tenant, too, when it is new, and prints the key, once. `generate` prints a key that is stored nowhere, for Access:BootstrapKey.
        settings: those of the service that say where its data is, for example --Storage:Folder=PATH
        """;

    /// <summary>Runs it.</summary>
    /// <param name="arguments">What follows the first word.</param>
    /// <returns>The exit code: 0; 1 when it could not be done; 2 for a command line that is not understood.</returns>
    /// <exception cref="StartupException">The data can't be used.</exception>
    public static async Task<int> RunAsync(string[] arguments)
    {
        try
        {
            return await RunAsync(KeyArguments.Parse(arguments));
        }
        catch (FormatException exception)
        {
            await Console.Error.WriteLineAsync($"condense: {exception.Message}\n{Usage}");
            return BadUsage;
        }
    }

    private static async Task<int> RunAsync(KeyArguments arguments)
    {
        if (string.Equals(arguments.Verb, "generate", StringComparison.Ordinal))
        {
            arguments.Allow();
            Console.WriteLine(KeyText.Create());
            return 0;
        }

        Func<IServiceProvider, Task<int>> work = arguments.Verb switch
        {
            "create" => Create(arguments),
            "list" => List(arguments),
            "revoke" => Revoke(arguments),
            _ => throw new FormatException($"keys can create, list, revoke and generate, not \"{arguments.Verb}\"."),
        };
        await using var app = ServiceHost.Build(["--Logging:LogLevel:Default=Warning", .. arguments.Settings]);
        foreach (var check in app.Services.GetServices<IStartupValidator>())
        {
            check.Validate();
        }

        await using var scope = app.Services.CreateAsyncScope();
        await PrepareAsync(app.Services, scope.ServiceProvider);
        return await work(scope.ServiceProvider);
    }

    /// <summary>
    /// The tables must be there. Where the settings leave them to `migrate`, this command does, too; and SQLite's file is the running service's to
    /// migrate: a row beside it is safe, another schema is not.
    /// </summary>
    private static async Task PrepareAsync(IServiceProvider services, IServiceProvider scope)
    {
        var db = scope.GetRequiredService<CondenseDbContext>();
        var folder = services.GetRequiredService<DataFolder>();
        var migrator = scope.GetRequiredService<Migrator>();
        bool isFree = db.Database.IsNpgsql() || folder.TryOpen();
        if (!services.GetRequiredService<IOptions<StorageOptions>>().Value.Migrate)
        {
            await migrator.CheckAsync(CancellationToken.None);
        }
        else if (isFree)
        {
            await migrator.MigrateAsync(CancellationToken.None);
        }
        else if ((await db.Database.GetPendingMigrationsAsync()).Any())
        {
            throw new StartupException($"The service that runs on the data folder {folder.Root} is of another version than this command. Stop it first.");
        }
    }

    private static Func<IServiceProvider, Task<int>> Create(KeyArguments arguments)
    {
        arguments.Allow("tenant", "name", "scopes", "expires");
        string tenant = arguments.Need("tenant");
        if (!TenantName().IsMatch(tenant))
        {
            throw new FormatException($"--tenant {tenant}: lower-case letters, digits and hyphens, at most 63, beginning with a letter or digit.");
        }

        string[] scopes = arguments.Need("scopes").Split([',', ' '], StringSplitOptions.RemoveEmptyEntries);
        var request = new KeyRequest { Name = arguments.Need("name"), Scopes = scopes };
        string? expires = arguments.Find("expires");
        return async services =>
        {
            var now = services.GetRequiredService<TimeProvider>().GetUtcNow();
            request = request with { ExpiresAt = expires is null ? null : ParseEnd(expires, now) };
            if (request.Check(now, isFirst: false) is { Count: > 0 } errors)
            {
                throw new FormatException(string.Join(" ", errors.Select(error => $"--{Option(error.Pointer)}: {error.Detail}")));
            }

            var (key, text) = await services.GetRequiredService<KeyRing>().CreateAsync(tenant, request.Name, scopes, request.ExpiresAt, CancellationToken.None);
            await Console.Error.WriteLineAsync($"{key.Id} of the tenant {tenant}, {(key.ExpiresAt is { } end ? $"until {Day(end)}" : "without an end")}, for {key.Scopes}. It is shown this once:");
            Console.WriteLine(text);
            return 0;
        };
    }

    private static Func<IServiceProvider, Task<int>> List(KeyArguments arguments)
    {
        arguments.Allow("tenant");
        string? tenant = arguments.Find("tenant");
        return async services =>
        {
            var db = services.GetRequiredService<CondenseDbContext>();
            var keys = await db.ApiKeys.IgnoreQueryFilters().AsNoTracking().Where(key => tenant == null || key.TenantId == tenant).OrderBy(key => key.Id).ToListAsync();
            string[][] rows =
            [
                ["ID", "TENANT", "PREFIX", "SCOPES", "CREATED", "EXPIRES", "LAST USED", "NAME"],
                .. keys.Select(key => new[] { key.Id, key.TenantId, key.Prefix, key.Scopes.Replace(' ', ','), Day(key.CreatedAt), Day(key.ExpiresAt), Day(key.LastUsedAt), key.Name }),
            ];
            int[] widths = [.. Enumerable.Range(0, rows[0].Length).Select(column => rows.Max(row => row[column].Length))];
            foreach (string[] row in rows)
            {
                Console.WriteLine(string.Join("  ", row.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd());
            }

            return 0;
        };
    }

    private static Func<IServiceProvider, Task<int>> Revoke(KeyArguments arguments)
    {
        arguments.Allow();
        string id = arguments.Operand ?? throw new FormatException("The id of a key is missing; `keys list` names them.");
        return async services =>
        {
            if (await services.GetRequiredService<KeyRing>().RevokeAnyAsync(id, CancellationToken.None))
            {
                await Console.Error.WriteLineAsync($"{id} is revoked.");
                return 0;
            }

            await Console.Error.WriteLineAsync($"condense: there is no key {id}; `keys list` names them.");
            return Failed;
        };
    }

    private static DateTimeOffset ParseEnd(string text, DateTimeOffset now)
    {
        if (text.EndsWith('d') && int.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out int days) && days <= KeyRing.MaxLife.TotalDays)
        {
            return now.AddDays(days);
        }

        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var end)
            ? end
            : throw new FormatException($"--expires {text}: days, like 90d, at most {KeyRing.MaxLife.TotalDays.ToString(CultureInfo.InvariantCulture)} of them, or a date like 2027-01-31.");
    }

    /// <summary>The option that a pointer into the document stands for.</summary>
    private static string Option(string pointer) => pointer.Split('/')[1] is var field && string.Equals(field, "expiresAt", StringComparison.Ordinal) ? "expires" : field;

    private static string Day(DateTimeOffset? moment) => moment?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) ?? "-";

    [GeneratedRegex("^[a-z0-9][a-z0-9-]{0,62}$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex TenantName();
}
