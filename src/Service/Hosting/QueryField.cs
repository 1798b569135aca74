using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.OpenApi;

namespace Condense.Service.Hosting;

/// <summary>What the description of the API says of a query parameter beyond its type.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Schema">What it looks like.</param>
internal sealed record QueryField(string Name, OpenApiSchema Schema)
{
    /// <summary>What it is for, where the handler has no parameter that says so.</summary>
    public string? Description { get; init; }

    /// <summary>How long a page is.</summary>
    public static QueryField Limit { get; } = new("limit", new OpenApiSchema
    {
        Type = JsonSchemaType.Integer,
        Format = "int32",
        Minimum = "1",
        Maximum = Page.MaxLimit.ToString(CultureInfo.InvariantCulture),
        Default = Page.DefaultLimit,
    });

    /// <summary>A lower bound of the moment of creation.</summary>
    public static QueryField CreatedAfter { get; } = new("createdAfter", new OpenApiSchema { Type = JsonSchemaType.String, Format = "date-time" });

    /// <summary>The digest of a file.</summary>
    public static QueryField Sha256 { get; } = new("sha256", new OpenApiSchema { Type = JsonSchemaType.String, Pattern = "^[0-9a-f]{64}$" });

    /// <summary>Names and values of the client's own. The names are its own, too, so all of them are one parameter here: each of its properties is one of the query's.</summary>
    public static QueryField Metadata { get; } = new("metadata", new OpenApiSchema
    {
        Type = JsonSchemaType.Object,
        AdditionalProperties = new OpenApiSchema { Type = JsonSchemaType.String, MaxLength = ClientMetadata.MaxValueLength },
        MaxProperties = ClientMetadata.MaxEntries,
        Examples = [new JsonObject()],
    })
    {
        Description = $"Names and values of your own, each a parameter whose name begins with `{ClientMetadata.QueryPrefix}`: `{{\"metadata.git\": \"4f2a\"}}` is sent as `?metadata.git=4f2a`.",
    };

    /// <summary>One of some words.</summary>
    public static QueryField Words(string name, params IEnumerable<string> words) =>
        new(name, new OpenApiSchema { Type = JsonSchemaType.String, Enum = [.. words.Select(word => (JsonNode)word)] });
}
