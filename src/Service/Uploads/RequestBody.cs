using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Options;

namespace Condense.Service.Uploads;

/// <summary>What the server asks of a body that is a file, before its first byte is read.</summary>
internal static class RequestBody
{
    /// <summary>
    /// Allows so many bytes: a longer body is refused by its announced length. And asks for a least speed: whoever stays below it makes room for
    /// others.
    /// </summary>
    public static void Allow(HttpContext http, long bytes)
    {
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = bytes;
        }

        // Over HTTP/2 the server asks for its own least speed of every connection, and refuses another for one request.
        if (HttpProtocol.IsHttp11(http.Request.Protocol) && http.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate)
        {
            var options = http.RequestServices.GetRequiredService<IOptions<UploadOptions>>().Value;
            rate.MinDataRate = options.MinBytesPerSecond == 0 ? null : new MinDataRate(options.MinBytesPerSecond, options.Grace);
        }
    }
}
