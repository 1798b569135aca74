using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Condense.Service.Hosting;

/// <summary>
/// How the API reads and writes JSON: camelCase, enums as words, absent values left out; strict in what it takes: no unknown or double
/// fields, no numbers in strings, no nulls where a value belongs, at most 32 levels.
/// </summary>
internal static class ApiJson
{
    private const int Depth = 32;

    /// <summary>The options, for use outside endpoints.</summary>
    public static JsonSerializerOptions Options { get; } = Make();

    /// <summary>Sets options up.</summary>
    public static void Configure(JsonSerializerOptions options)
    {
        // Answers are typed and not sniffed, so nothing takes them for a page: an apostrophe may stay one.
        options.Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;
        options.PropertyNamingPolicy = JsonNamingPolicy.CamelCase;
        options.PropertyNameCaseInsensitive = false;
        options.NumberHandling = JsonNumberHandling.Strict;
        options.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
        options.AllowDuplicateProperties = false;
        options.RespectNullableAnnotations = true;
        options.RespectRequiredConstructorParameters = true;
        options.MaxDepth = Depth;
        options.DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull;
        options.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false));
        DeferredText.Configure(options);
    }

    private static JsonSerializerOptions Make()
    {
        var options = new JsonSerializerOptions(JsonSerializerDefaults.Web);
        Configure(options);
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }
}
