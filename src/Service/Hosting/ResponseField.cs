using Microsoft.OpenApi;

namespace Condense.Service.Hosting;

/// <summary>A header that answers have, as the description of the API shows it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Description">What it says.</param>
/// <param name="Schema">What it looks like.</param>
internal sealed record ResponseField(string Name, string Description, OpenApiSchema Schema)
{
    /// <summary>The statuses of the answers that may have it, where an endpoint sends it. By default those of success.</summary>
    public Func<int, bool> On { get; init; } = status => status is >= 200 and < 300;

    /// <summary>Where the new resource is.</summary>
    public static ResponseField Location { get; } = new("Location", "The address of the resource.", Text("/v1/jobs/job_01JD8Y3Q4Z5X6W7V8T9S0R1Q2P")) { On = status => status is 201 or 202 };

    /// <summary>When to ask again.</summary>
    public static ResponseField RetryAfter { get; } = new("Retry-After", "After how many seconds it is worth asking again.", Whole());

    /// <summary>The version of a document, or of bytes.</summary>
    public static ResponseField ETag { get; } = new("ETag", "The version of what was sent: for `If-None-Match` and `If-Match`.", Text("\"0f3a…\"")) { On = status => status is 200 or 206 or 304 };

    /// <summary>The next page.</summary>
    public static ResponseField Link { get; } = new("Link", "The address of the next page, `rel=\"next\"` (RFC 8288); absent on the last.", Text("</v1/jobs?limit=20&cursor=am9i>; rel=\"next\""));

    /// <summary>What was made of <c>Prefer</c>.</summary>
    public static ResponseField PreferenceApplied { get; } = new("Preference-Applied", "The wait that was granted.", Text("wait=30")) { On = status => status is 200 or 201 or 304 };

    /// <summary>How many requests may still come.</summary>
    public static ResponseField RateLimit { get; } = new("RateLimit", "How many requests may still come (`r`), and after how many seconds there will be more (`t`).", Text("\"reads\";r=599;t=1"))
    {
        On = status => status != StatusCodes.Status401Unauthorized,
    };

    /// <summary>How many requests may come at all.</summary>
    public static ResponseField RateLimitPolicy { get; } = new("RateLimit-Policy", "How many requests may come (`q`) in how many seconds (`w`).", Text("\"reads\";q=600;w=60"))
    {
        On = status => status != StatusCodes.Status401Unauthorized,
    };

    /// <summary>What a key lacks.</summary>
    public static ResponseField WwwAuthenticate { get; } = new("WWW-Authenticate", "How to show a key, and what was wrong with this one (RFC 6750).", Text("Bearer error=\"invalid_token\""))
    {
        On = status => status is 401 or 403,
    };

    /// <summary>A text, with an example.</summary>
    public static OpenApiSchema Text(string example) => new() { Type = JsonSchemaType.String, Examples = [example] };

    /// <summary>A number that is not negative.</summary>
    public static OpenApiSchema Whole() => new() { Type = JsonSchemaType.Integer, Format = "int64", Minimum = "0" };
}
