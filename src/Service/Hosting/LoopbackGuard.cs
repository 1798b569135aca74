using Condense.Service.Problems;

namespace Condense.Service.Hosting;

/// <summary>
/// Keeps pages of other sites out where no key is asked for: a name other than this machine's in <c>Host</c> is a rebound DNS name, and a foreign
/// <c>Origin</c>, or a change asked for across sites, is a page that the user happens to look at. Where keys are asked for, no such page has one.
/// </summary>
internal static class LoopbackGuard
{
    /// <summary>Refuses such a request.</summary>
    /// <exception cref="ProblemException">It comes from a page of another site: <c>forbidden_origin</c>.</exception>
    public static void Check(HttpRequest request, bool keysAreAskedFor)
    {
        if (keysAreAskedFor)
        {
            return;
        }

        if (!ListenAddresses.IsLoopback(request.Host.Host.Trim('[', ']')))
        {
            throw new ProblemException(ProblemKind.ForbiddenOrigin, "The name in the Host header is not this machine's. Use http://127.0.0.1 or http://localhost.");
        }

        if (request.Headers.Origin is [{ } origin, ..] && !string.Equals(origin, $"{request.Scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase))
        {
            throw new ProblemException(ProblemKind.ForbiddenOrigin, "The request comes from a page of another origin.");
        }

        bool changes = !HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method);
        if (changes && request.Headers["Sec-Fetch-Site"].ToString() is "cross-site" or "same-site")
        {
            throw new ProblemException(ProblemKind.ForbiddenOrigin, "The request comes from a page of another site.");
        }
    }
}
