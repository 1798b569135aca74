using Condense.Service.Problems;
using Microsoft.Extensions.Options;

namespace Condense.Service.Access;

/// <summary>
/// How many requests of a client may be open until something happens: streams of events, and waits for the end of a job. Each costs memory, a
/// connection and a look at the database now and then. Every node counts for itself.
/// </summary>
internal sealed class OpenWaits(IOptions<AccessOptions> options)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _open = new(StringComparer.Ordinal);

    /// <summary>Counts a request until it ends.</summary>
    /// <exception cref="ProblemException">The client has as many as it may have: <c>rate_limited</c>.</exception>
    public void Enter(HttpContext http, Caller caller)
    {
        string client = caller.KeyId ?? RateLimits.ClientOf(http);
        lock (_lock)
        {
            int open = _open.GetValueOrDefault(client);
            if (open >= options.Value.OpenWaits)
            {
                throw new ProblemException(
                    ProblemKind.RateLimited,
                    FormattableString.Invariant($"{open} streams and waits of this {(caller.KeyId is null ? "address" : "key")} are open, and that is the most. Close one, or ask without waiting."));
            }

            _open[client] = open + 1;
        }

        http.Response.RegisterForDispose(new Place(this, client));
    }

    private void Leave(string client)
    {
        lock (_lock)
        {
            if (--_open[client] == 0)
            {
                _open.Remove(client);
            }
        }
    }

    private sealed class Place(OpenWaits waits, string client) : IDisposable
    {
        public void Dispose() => waits.Leave(client);
    }
}
