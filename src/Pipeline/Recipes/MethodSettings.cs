using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Condense.Pipeline.Recipes;

/// <summary>The settings of a method, read from a rule.</summary>
internal abstract record MethodSettings
{
    private static readonly JsonSerializerOptions s_strict = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        NumberHandling = JsonNumberHandling.Strict,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
    };

    /// <summary>Reads the settings of a known method.</summary>
    /// <returns>Null with a problem added when they are wrong.</returns>
    public static MethodSettings? Read(string method, JsonObject? settings, string pointer, ICollection<RecipeProblem> problems)
    {
        try
        {
            MethodSettings read = method switch
            {
                MethodNames.GroupReduce => settings.Deserialize<GroupReduceChoice>(s_strict) ?? new GroupReduceChoice(),
                MethodNames.LowRank => settings.Deserialize<LowRankChoice>(s_strict) ?? new LowRankChoice(),
                MethodNames.Mixed => settings.Deserialize<MixedChoice>(s_strict) ?? new MixedChoice(),
                MethodNames.Quantize => settings.Deserialize<QuantizeChoice>(s_strict) ?? new QuantizeChoice(),
                MethodNames.Float16 => settings.Deserialize<Float16Choice>(s_strict) ?? new Float16Choice(),
                _ => throw new ArgumentException($"There is no method {method}.", nameof(method)),
            };
            int before = problems.Count;
            read.Check(pointer, problems);
            return problems.Count == before ? read : null;
        }
        catch (JsonException exception)
        {
            string path = exception.Path is { Length: > 2 } text && text.StartsWith("$.", StringComparison.Ordinal) ? "/" + text[2..].Replace('.', '/') : "";
            string names = string.Join(", ", MethodCatalogue.Find(method)!.Settings["properties"]!.AsObject().Select(property => property.Key));
            problems.Add(new RecipeProblem(pointer + path, $"The setting is not one that {method} takes, or has a value of the wrong kind. Settings: {(names.Length == 0 ? "none" : names)}."));
            return null;
        }
    }

    /// <summary>Adds what is out of bounds.</summary>
    protected abstract void Check(string pointer, ICollection<RecipeProblem> problems);
}
