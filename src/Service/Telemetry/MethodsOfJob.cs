using System.Text.Json;

namespace Condense.Service.Telemetry;

/// <summary>The one word for the methods that a job was asked to use.</summary>
internal static class MethodsOfJob
{
    /// <summary>It named none: all that apply.</summary>
    public const string Any = "any";

    /// <summary>It named more than one.</summary>
    public const string Several = "several";

    /// <summary>The word for a job's request, as its row keeps it: the method, when it names but one, for all layers or for some.</summary>
    public static string Of(string requestJson)
    {
        using var request = JsonDocument.Parse(requestJson);
        var names = new HashSet<string>(StringComparer.Ordinal);
        if (request.RootElement.TryGetProperty("methods", out var methods))
        {
            names.UnionWith(methods.EnumerateArray().Select(name => name.GetString()!));
        }

        if (request.RootElement.TryGetProperty("layers", out var layers))
        {
            names.UnionWith(layers.EnumerateArray().Select(layer => layer.GetProperty("method").GetString()!));
        }

        return names.Count switch
        {
            0 => Any,
            1 => names.Single(),
            _ => Several,
        };
    }
}
