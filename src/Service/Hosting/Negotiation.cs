using Condense.Service.Problems;
using Microsoft.Net.Http.Headers;

namespace Condense.Service.Hosting;

/// <summary>Chooses a representation by <c>Accept</c>.</summary>
internal static class Negotiation
{
    /// <summary>The type that the client likes most; the first offered one between equals and without the header.</summary>
    /// <exception cref="ProblemException">None is accepted: <c>not_acceptable</c>.</exception>
    public static string Choose(HttpRequest request, params ReadOnlySpan<string> offered)
    {
        var accepted = request.GetTypedHeaders().Accept;
        if (accepted.Count == 0)
        {
            return offered[0];
        }

        string? best = null;
        double bestQuality = 0;
        foreach (string type in offered)
        {
            double quality = QualityOf(new MediaTypeHeaderValue(type), accepted);
            if (quality > bestQuality)
            {
                (best, bestQuality) = (type, quality);
            }
        }

        return best ?? throw new ProblemException(ProblemKind.NotAcceptable, $"There are {string.Join(", ", offered)}; the request accepts none of them.");
    }

    /// <summary>The most specific range that covers the type decides (RFC 9110, 12.5.1).</summary>
    private static double QualityOf(MediaTypeHeaderValue type, IList<MediaTypeHeaderValue> accepted) =>
        accepted.Where(type.IsSubsetOf)
            .OrderBy(range => range.MatchesAllTypes ? 2 : range.MatchesAllSubTypes ? 1 : 0)
            .Select(range => range.Quality ?? 1)
            .FirstOrDefault();
}
