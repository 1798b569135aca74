using Microsoft.Net.Http.Headers;

namespace Condense.Service.Hosting;

/// <summary>Conditional requests for documents.</summary>
internal static class Conditional
{
    /// <summary>Sets the document's <c>ETag</c> and says whether the client has that version already.</summary>
    public static bool IsCurrent(HttpContext http, string etag)
    {
        http.Response.Headers.ETag = etag;
        var tag = new EntityTagHeaderValue(etag);
        return http.Request.GetTypedHeaders().IfNoneMatch.Any(known => known.Equals(EntityTagHeaderValue.Any) || known.Compare(tag, useStrongComparison: false));
    }
}
