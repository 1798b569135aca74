using System.Text.Json;
using System.Text.Json.Serialization;

namespace Condense.Pipeline.Reports;

/// <summary>How reports become JSON, everywhere: camelCase, enums as words, absent values left out.</summary>
public static class ReportJson
{
    /// <summary>Compact.</summary>
    public static JsonSerializerOptions Options { get; } = Make(indented: false);

    /// <summary>For people.</summary>
    public static JsonSerializerOptions Indented { get; } = Make(indented: true);

    private static JsonSerializerOptions Make(bool indented)
    {
        var options = new JsonSerializerOptions(JsonSerializerDefaults.Web)
        {
            WriteIndented = indented,
            DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
            Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
        };
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }
}
