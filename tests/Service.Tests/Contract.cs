using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Condense.Service.Hosting;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.Swagger;
using Xunit;

namespace Condense.Service.Tests;

/// <summary>
/// What the description of the API promises. Every answer that a test gets is held against it: a status, a problem's code or a header that stands
/// nowhere in the description fails the test that met it.
/// </summary>
internal static partial class Contract
{
    /// <summary>Headers that belong to HTTP, not to this API.</summary>
    private static readonly HashSet<string> s_plain = new(StringComparer.OrdinalIgnoreCase)
    {
        "Allow", "Cache-Control", "Connection", "Content-Length", "Content-Security-Policy", "Content-Type", "Date", "Expires", "Last-Modified", "Pragma", "Referrer-Policy", "Transfer-Encoding",
        "Vary", "X-Accel-Buffering", "X-Content-Type-Options",
    };

    private static readonly Lazy<OpenApiDocument> s_document = new(Describe);

    private static readonly Lazy<List<(Regex Path, IOpenApiPathItem Item)>> s_paths = new(() =>
    [
        .. s_document.Value.Paths.OrderBy(path => path.Key.Count(character => character == '{'))
            .Select(path => (new Regex($"^{Placeholder().Replace(path.Key, PatternOf)}$", RegexOptions.None, TimeSpan.FromSeconds(1)), path.Value)),
    ]);

    /// <summary>The description of the API.</summary>
    public static OpenApiDocument Document => s_document.Value;

    /// <summary>The codes that a response's description lists.</summary>
    public static IEnumerable<string> CodesOf(IOpenApiResponse response) => Code().Matches(response.Description ?? "").Select(match => match.Groups["code"].Value);

    /// <summary>Holds an answer against the description.</summary>
    public static async Task CheckAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var request = response.RequestMessage!;
        int status = (int)response.StatusCode;
        if (status == 405 || request.Headers.Contains("X-HTTP-Method-Override") || Find(request) is not { } operation)
        {
            return;
        }

        string what = $"{request.Method} {request.RequestUri!.AbsolutePath}: {status}";
        Assert.True(operation.Responses!.TryGetValue(status.ToString(CultureInfo.InvariantCulture), out var described), $"{what} is not described. {await response.Content.ReadAsStringAsync(cancellationToken)}");
        foreach (string name in response.Headers.Concat(response.Content.Headers).Select(header => header.Key).Where(name => !s_plain.Contains(name)))
        {
            Assert.True(described.Headers?.ContainsKey(name) == true, $"{what}: the header {name} is not described.");
        }

        if (request.Method != HttpMethod.Head && response.Content.Headers.ContentType?.MediaType == "application/problem+json")
        {
            string code = (string)JsonNode.Parse(await response.Content.ReadAsStringAsync(cancellationToken))!["code"]!;
            Assert.True(CodesOf(described).Contains(code, StringComparer.Ordinal), $"{what}: the code {code} is not described.");
        }
    }

    private static OpenApiOperation? Find(HttpRequestMessage request)
    {
        string path = request.RequestUri!.AbsolutePath;
        if (path.Length > 1)
        {
            path = path.TrimEnd('/');
        }

        var operations = s_paths.Value.Find(pair => pair.Path.IsMatch(path)).Item?.Operations;
        return operations is null ? null : operations.GetValueOrDefault(request.Method) ?? (request.Method == HttpMethod.Head ? operations.GetValueOrDefault(HttpMethod.Get) : null);
    }

    /// <summary>The name of a tensor may have slashes.</summary>
    private static string PatternOf(Match placeholder) => placeholder.Value == "{name}" ? ".+" : "[^/]+";

    private static OpenApiDocument Describe()
    {
        // Never started: only its routes are wanted.
        IApplicationBuilder app = ServiceHost.Build([]);
        app.UseRouting().UseEndpoints(static _ => { });
        return app.ApplicationServices.GetRequiredService<ISwaggerProvider>().GetSwagger("v1");
    }

    [GeneratedRegex(@"\{[a-z]+\}", RegexOptions.None, 1000)]
    private static partial Regex Placeholder();

    [GeneratedRegex("`(?<code>[a-z_]+)`", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Code();
}
