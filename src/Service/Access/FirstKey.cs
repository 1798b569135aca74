using Condense.Service.Storage;
using Microsoft.Extensions.Options;

namespace Condense.Service.Access;

/// <summary>At start: takes the first key from the configuration, and sees to it that there is one where one is needed.</summary>
internal sealed class FirstKey(KeyRing keys, KeyPolicy policy, CondenseDbContext db, IOptions<AccessOptions> options, ILogger<FirstKey> logger)
{
    /// <summary>Does both.</summary>
    /// <exception cref="StartupException">The configured key is none, or a key is needed and there is none.</exception>
    public async Task RequireAsync(CancellationToken cancellationToken)
    {
        if (await ConfiguredAsync(cancellationToken) is { } text && !await keys.BootstrapAsync(Tenant.Default, text, cancellationToken))
        {
            AccessLog.BootstrapKeyUnused(logger);
        }

        await policy.CheckKeysAsync(db, cancellationToken);
    }

    private async Task<string?> ConfiguredAsync(CancellationToken cancellationToken)
    {
        string source = "Access:BootstrapKey";
        string? text = options.Value.BootstrapKey;
        if (options.Value.BootstrapKeyFile is { Length: > 0 } path)
        {
            if (!string.IsNullOrEmpty(text))
            {
                throw new StartupException("Both Access:BootstrapKey and Access:BootstrapKeyFile are set. Set one of them.");
            }

            source = $"The file {path}, named by Access:BootstrapKeyFile,";
            try
            {
                text = (await File.ReadAllTextAsync(path, cancellationToken)).Trim();
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                throw new StartupException($"{source} can't be read: {exception.Message}", exception);
            }
        }
        else if (string.IsNullOrEmpty(text))
        {
            return null;
        }

        return KeyText.IsWellFormed(text)
            ? text
            : throw new StartupException($"{source} holds no key. It must be {KeyText.Form}; the command `keys generate` prints one.");
    }
}
