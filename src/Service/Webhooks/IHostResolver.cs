using System.Net;

namespace Condense.Service.Webhooks;

/// <summary>Says which addresses a name has. An outside boundary: what it answers may differ from one question to the next.</summary>
internal interface IHostResolver
{
    /// <summary>The addresses of a name.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">There are none, or nobody could be asked.</exception>
    Task<IReadOnlyList<IPAddress>> ResolveAsync(string host, CancellationToken cancellationToken);
}
