using System.Text.Json;
using System.Text.Json.Nodes;
using Condense.Pipeline.Recipes;

namespace Condense.Cli;

/// <summary><c>GLOB=METHOD[:SETTINGS-JSON]</c>.</summary>
internal static class LayerRuleText
{
    /// <summary>Reads a rule; the glob ends at the last <c>=</c> before the settings, so that names may hold one.</summary>
    /// <exception cref="UsageException">The text is not of that form.</exception>
    public static LayerRule Parse(string text)
    {
        int brace = text.IndexOf(":{", StringComparison.Ordinal);
        string head = brace < 0 ? text : text[..brace];
        int equals = head.LastIndexOf('=');
        if (equals <= 0 || equals == head.Length - 1)
        {
            throw new UsageException($"--layer takes GLOB=METHOD[:SETTINGS-JSON], not \"{text}\".");
        }

        try
        {
            return new LayerRule(head[..equals], head[(equals + 1)..], brace < 0 ? null : JsonNode.Parse(text[(brace + 1)..])!.AsObject());
        }
        catch (JsonException exception)
        {
            throw new UsageException($"The settings of --layer \"{text}\" are not JSON: {exception.Message}");
        }
    }
}
