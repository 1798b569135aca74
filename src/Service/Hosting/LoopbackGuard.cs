using Condense.Service.Problems;

namespace Condense.Service.Hosting;

/// <summary>
/// Keeps pages of other sites out, as no key is asked for: a name other than this machine's in <c>Host</c> is a rebound DNS name, and a foreign
/// <c>Origin</c>, or a change asked for across sites, is a page that the user happens to look at.
/// </summary>
internal static class LoopbackGuard
{
    /// <summary>Refuses such requests with 403.</summary>
    public static void UseLoopbackGuard(this WebApplication app) => app.Use(static (context, next) =>
    {
        context.Response.OnStarting(
            static state =>
            {
                ((HttpContext)state).Response.Headers.XContentTypeOptions = "nosniff";
                return Task.CompletedTask;
            },
            context);
        var request = context.Request;
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

        return next(context);
    });
}
