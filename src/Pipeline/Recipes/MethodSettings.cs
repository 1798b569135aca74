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
            problems.Add(Explain(method, exception.Path is { Length: > 2 } text && text.StartsWith("$.", StringComparison.Ordinal) ? text[2..].Replace('.', '/') : "", pointer));
            return null;
        }
    }

    /// <summary>Tells a name that the method does not have from a value of the wrong kind, and says what there is.</summary>
    private static RecipeProblem Explain(string method, string path, string pointer)
    {
        var known = MethodCatalogue.Find(method)!.Settings["properties"]!.AsObject();
        string place = path.Length == 0 ? pointer : $"{pointer}/{path}";
        if (known[path.Split('/', '[')[0]] is JsonObject setting)
        {
            string values = setting["enum"] is JsonArray list
                ? $"one of {string.Join(", ", list.Select(value => value!.ToJsonString()))}"
                : $"a value of type {setting["type"]!.GetValue<string>()}";
            return new RecipeProblem(place, $"The value is of the wrong kind: {values} belongs here.");
        }

        string names = string.Join(", ", known.Select(property => property.Key));
        return new RecipeProblem(place, $"The setting is not one that {method} takes. Settings: {(names.Length == 0 ? "none" : names)}.");
    }

    /// <summary>Adds what is out of bounds.</summary>
    protected abstract void Check(string pointer, ICollection<RecipeProblem> problems);
}
