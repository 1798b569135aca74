using System.Net;

namespace Condense.Service.Webhooks;

/// <summary>Asks the operating system.</summary>
internal sealed class SystemResolver : IHostResolver
{
    /// <inheritdoc/>
    public async Task<IReadOnlyList<IPAddress>> ResolveAsync(string host, CancellationToken cancellationToken) =>
        await Dns.GetHostAddressesAsync(host, cancellationToken);
}
